"""Start SeaweedFS as an S3 server on free loopback ports.

    python start.py [--data DIR] [--port PORT] [--identities FILE]

Prints {"endpoint", "pid", "server_pid", "data", "log"} when a signed-out request is
answered; ends when stdin closes or on SIGTERM. Give the same --data again to find the
same objects, open multipart uploads included; give --port too to keep the endpoint.
"""

import argparse
import os
import shutil
import sys
import sysconfig
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import common  # noqa: E402

# A polite stop takes over 10 s (gRPC streams), and kill -9 loses nothing.
GRACE_S = 0.2


def weed_path():
    """The binary that the wheel puts beside this Python, else one on PATH."""
    beside = Path(sysconfig.get_path("scripts"), "weed")
    return str(beside) if beside.exists() else shutil.which("weed")


def command(data, ports, identities):
    names = (
        "s3",
        "master",
        "master_grpc",
        "volume",
        "volume_grpc",
        "filer",
        "filer_grpc",
        "s3_grpc",
    )
    port = dict(zip(names, ports, strict=True))
    return [
        weed_path(), "-logtostderr=true", "server",
        f"-dir={data}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1",
        f"-master.port={port['master']}", f"-master.port.grpc={port['master_grpc']}",
        "-master.volumeSizeLimitMB=1024", "-master.telemetry=false",
        f"-volume.port={port['volume']}", f"-volume.port.grpc={port['volume_grpc']}",
        "-volume.max=64", "-volume.minFreeSpace=1", "-volume.preStopSeconds=0",
        f"-filer.port={port['filer']}", f"-filer.port.grpc={port['filer_grpc']}",
        # The default sockets lie in /tmp and are named by port only.
        f"-filer.localSocket={data}/filer.sock", f"-s3.localSocket={data}/s3.sock",
        "-s3", f"-s3.port={port['s3']}", f"-s3.port.grpc={port['s3_grpc']}",
        "-s3.port.iceberg=0", "-s3.port.lance=0",
        f"-s3.config={identities}", "-s3.domainName=s3.test",
    ]  # fmt: skip


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path)
    parser.add_argument("--port", type=int)
    parser.add_argument("--identities", type=Path, default=HERE / "identities.json")
    args = parser.parse_args()
    data = args.data or Path(tempfile.mkdtemp(prefix="weed-"))
    data.mkdir(parents=True, exist_ok=True)
    ports = common.free_ports(8)
    if args.port:
        ports[0] = args.port
    log = data / "server.log"
    # Configuration files are looked for in the working directory and $HOME: keep both ours.
    # The passphrase switches SSE-S3 on, and gives the STS service its signing key.
    env = {**os.environ, "HOME": str(data), "WEED_S3_SSE_KEY": "test-only-sse-passphrase"}
    process = common.spawn(
        command(data.resolve(), ports, args.identities.resolve()), log, cwd=data, env=env
    )
    endpoint = f"http://127.0.0.1:{ports[0]}"
    try:
        common.wait_http(f"{endpoint}/healthz", process, accept=lambda status: status == 200)
        # After a restart /healthz is 200 up to 4 s before the master knows the old volumes;
        # until then reads of old objects get 500.
        for volume in sorted(data.glob("*.dat")):
            number = volume.stem.rsplit("_", 1)[-1]
            url = f"http://127.0.0.1:{ports[1]}/dir/lookup?volumeId={number}"
            common.wait_http(url, process, accept=lambda status: status == 200)
        info = {
            "endpoint": endpoint,
            "pid": os.getpid(),
            "server_pid": process.pid,
            "data": str(data),
            "log": str(log),
        }
        common.announce_and_wait(info, [process], grace_s=GRACE_S)
    finally:
        common.stop(process, GRACE_S)
        for port in ports:  # sockets that weed always puts in /tmp
            for socket_path in Path("/tmp").glob(f"seaweedfs-*-grpc-{port}.sock"):
                socket_path.unlink(missing_ok=True)
        if args.data is None:
            shutil.rmtree(data, ignore_errors=True)


if __name__ == "__main__":
    main()
