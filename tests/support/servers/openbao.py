"""A real key server for tests: OpenBao in a process of its own, gone when it is closed."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from diskwright.adapters.kms_vault import TransitKey, VaultSettings

_SCRIPT = Path(__file__).with_name("openbao") / "start.py"
KEY = "image-kek"  # derived
PLAIN_KEY = "plain-kek"  # not derived
OTHER_KEY = "other-kek"  # derived


@dataclass
class OpenBao:
    """Tokens: `user`, and `seal-only`, which may wrap and not unwrap; keys: KEY and PLAIN_KEY."""

    process: subprocess.Popen
    endpoint: str
    root: str
    unseal_key: str
    tokens: dict[str, str]

    @classmethod
    def start(cls) -> OpenBao:
        process = subprocess.Popen(
            [sys.executable, str(_SCRIPT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"OpenBao did not start: {process.wait()}")
        told = json.loads(line)
        return cls(
            process, told["endpoint"], told["root_token"], told["unseal_key"], told["tokens"]
        )

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()

    def call(self, method: str, path: str, **body: object) -> dict:
        """As root."""
        request = urllib.request.Request(
            f"{self.endpoint}/v1/{path}", json.dumps(body).encode(), method=method
        )
        request.add_header("X-Vault-Token", self.root)
        with urllib.request.urlopen(request, timeout=10) as reply:
            return json.loads(reply.read() or b"{}")

    def seal(self) -> None:
        self.call("PUT", "sys/seal")

    def unseal(self) -> None:
        """Until it answers again."""
        self.call("PUT", "sys/unseal", key=self.unseal_key)
        while True:
            try:
                self.call("GET", "sys/health")
            except urllib.error.HTTPError:
                continue
            return

    def fresh_key(self, name: str, **options: object) -> str:
        """A key of its own for one test; its place."""
        self.call("POST", f"transit/keys/{name}", **options)
        return f"transit/{name}"

    def token(self, *policies: str) -> str:
        made = self.call("POST", "auth/token/create", policies=list(policies), ttl="1h")
        return made["auth"]["client_token"]

    def settings(self, who: str = "user", **changes: object) -> VaultSettings:
        token = self.tokens.get(who, who)
        return VaultSettings(**{"address": self.endpoint, "token": token, "pause_s": 0, **changes})

    def key(self, place: str = KEY, who: str = "user", **changes: object) -> TransitKey:
        return TransitKey(place, self.settings(who, **changes))
