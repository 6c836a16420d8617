"""A real S3 server for tests: SeaweedFS in a process of its own, gone when it is closed."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from dataclasses import dataclass, field
from pathlib import Path

from diskwright.adapters.s3 import S3Settings, S3Store, connect
from diskwright.adapters.s3.retry import RetryPolicy

_SCRIPT = Path(__file__).with_name("seaweedfs") / "start.py"
HASTY = RetryPolicy(attempts=4, first_pause_s=0.01, longest_pause_s=0.02, patience_s=0)


@dataclass
class Seaweed:
    """Identities: `admin`, `reader` (reads and lists), `one-bucket` (the bucket `only-this`),
    `receiver` (what a bucket's policy lets it)."""

    process: subprocess.Popen
    endpoint: str
    buckets: list[str] = field(default_factory=list)

    @classmethod
    def start(cls) -> Seaweed:
        process = subprocess.Popen(
            [sys.executable, str(_SCRIPT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"SeaweedFS did not start: {process.wait()}")
        return cls(process, json.loads(line)["endpoint"])

    def close(self) -> None:
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()

    def settings(self, who: str = "admin", **changes) -> S3Settings:
        given = {
            "endpoint_url": self.endpoint,
            "region": "us-east-1",
            "addressing": "path",
            "access_key": f"test-{who}",
            "secret_key": f"test-{who}-secret",
            "retry": HASTY,
            **changes,
        }
        return S3Settings(**given)

    def bucket(self, name: str = "shared") -> str:
        """Made when it is first asked for. Use a prefix of your own in it: each further bucket
        takes some of the server's few volumes."""
        if name not in self.buckets:
            self.store(name)._client.create_bucket(Bucket=name)
            self.buckets.append(name)
        return name

    def fresh(self, **changes) -> S3Store:
        """A store over a place where nothing lies yet."""
        return self.store(self.bucket(), f"test {uuid.uuid4()}", **changes)

    def through(self, store: S3Store, endpoint: str) -> S3Store:
        """The same place, reached by way of a proxy."""
        return connect(store.url, self.settings(endpoint_url=endpoint))

    def store(self, bucket: str, prefix: str = "", who: str = "admin", **changes) -> S3Store:
        url = f"s3://{bucket}/{prefix}" if prefix else f"s3://{bucket}"
        return connect(url, self.settings(who, **changes))
