"""A worker that does, instead of looking at mutant n, the n-th thing that must not be done."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

from support.fuzzing import worker
from support.fuzzing.judge import Ending

DEEDS = ("hang", "open", "connect", "run", "leave", "memory", "crash", "die")


def judge(path: Path, name: str, *, read: bool, work: Path) -> Ending:
    deed = DEEDS[int(path.stem.rpartition("-")[2])]
    if deed == "hang":
        signal.pause()
    elif deed == "open":
        Path("/etc/hostname").read_bytes()
    elif deed == "connect":
        with socket.socket() as sock:
            sock.connect_ex(("127.0.0.1", 9))
    elif deed == "run":
        subprocess.run(["/bin/true"], check=True)
    elif deed == "leave":
        (work.parent / "tmp" / "left").touch()
    elif deed == "memory":
        bytearray(400 << 20)[::4096] = b"x" * (400 << 8)
    elif deed == "crash":
        raise KeyError(deed)
    elif deed == "die":
        signal.raise_signal(signal.SIGSEGV)
    return Ending()


if __name__ == "__main__":
    worker.judging.judge = judge
    worker.main(Path(sys.argv[1]))
