"""Start OpenBao (speaks the Vault HTTP API) on a free loopback port, with a transit engine.

    python start.py

Not dev mode: an in-memory server that we initialise, so a test can seal it and unseal it.
Prints {"endpoint", "pid", "server_pid", "log", "root_token", "unseal_key",
"tokens": {"user", "seal-only"}}; ends when stdin closes or on SIGTERM. Key "image-kek" is derived:
every call needs a context. "plain-kek" is not, "other-kek" is for who looks for a stranger.
"""

import json
import os
import shutil
import sys
import sysconfig
import tempfile
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import common  # noqa: E402


def bao_path():
    beside = Path(sysconfig.get_path("scripts"), "bao")
    return str(beside) if beside.exists() else shutil.which("bao")


def call(endpoint, method, path, token=None, **body):
    request = urllib.request.Request(
        f"{endpoint}/v1/{path}", json.dumps(body).encode(), method=method
    )
    request.add_header("X-Vault-Token", token or "")
    with urllib.request.urlopen(request, timeout=10) as reply:
        return json.loads(reply.read() or b"{}")


def main():
    work = Path(tempfile.mkdtemp(prefix="bao-"))
    port, cluster_port = common.free_ports(2)
    endpoint = f"http://127.0.0.1:{port}"
    config = {
        "storage": {"inmem": {}},
        "listener": [
            {
                "tcp": {
                    "address": f"127.0.0.1:{port}",
                    "cluster_address": f"127.0.0.1:{cluster_port}",
                    "tls_disable": True,
                }
            }
        ],
        "api_addr": endpoint,
        "ui": False,
    }
    (work / "config.json").write_text(json.dumps(config))
    log = work / "server.log"
    process = common.spawn([bao_path(), "server", f"-config={work}/config.json"], log)
    try:
        # /sys/health: 501 not initialised, 503 sealed, 200 ready.
        common.wait_http(f"{endpoint}/v1/sys/health", process, accept=lambda status: True)
        made = call(endpoint, "PUT", "sys/init", secret_shares=1, secret_threshold=1)
        root, unseal_key = made["root_token"], made["keys_base64"][0]
        call(endpoint, "PUT", "sys/unseal", key=unseal_key)
        common.wait_http(f"{endpoint}/v1/sys/health", process, accept=lambda status: status == 200)
        call(endpoint, "POST", "sys/mounts/transit", root, type="transit")
        for name, derived in (("image-kek", True), ("plain-kek", False), ("other-kek", True)):
            kind = {"type": "aes256-gcm96", "derived": derived}
            call(endpoint, "POST", f"transit/keys/{name}", root, **kind)
        tokens = {}
        for name in ("user", "seal-only"):
            policy = (HERE / f"policy-{name}.hcl").read_text()
            call(endpoint, "PUT", f"sys/policies/acl/{name}", root, policy=policy)
            reply = call(endpoint, "POST", "auth/token/create", root, policies=[name], ttl="1h")
            tokens[name] = reply["auth"]["client_token"]
        info = {
            "endpoint": endpoint,
            "pid": os.getpid(),
            "server_pid": process.pid,
            "log": str(log),
            "root_token": root,
            "unseal_key": unseal_key,
            "tokens": tokens,
        }
        common.announce_and_wait(info, [process])
    finally:
        common.stop(process)
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
