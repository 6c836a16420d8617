"""One command with all its children: wall time, and the peak of their memory together."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

_INTERVAL_S = 0.02


@dataclass
class Run:
    """`memory` is the peak over time of the sum of Pss; `written` what reached block devices."""

    seconds: float
    memory: int
    written: int
    stdout: str


def _children(pid: int) -> list[int]:
    found = []
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += [int(child) for child in (task / "children").read_text().split()]
    except OSError:
        return found
    return found + [deeper for child in found for deeper in _children(child)]


def _field(path: str, name: str, unit: int) -> int:
    try:
        for line in Path(path).read_text().splitlines():
            if line.startswith(name):
                return int(line.split()[1]) * unit
    except (OSError, ValueError):
        return 0
    return 0


class _Sampler(threading.Thread):
    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid = pid
        self._over = threading.Event()
        self.memory = 0
        self._written: dict[int, int] = {}

    def run(self) -> None:
        while not self._over.wait(_INTERVAL_S):
            tree = [self._pid, *_children(self._pid)]
            pss = sum(_field(f"/proc/{pid}/smaps_rollup", "Pss:", 1024) for pid in tree)
            self.memory = max(self.memory, pss)
            for pid in tree:
                seen = _field(f"/proc/{pid}/io", "write_bytes:", 1)
                self._written[pid] = max(self._written.get(pid, 0), seen)

    def stop(self) -> None:
        self._over.set()
        self.join()

    @property
    def written(self) -> int:
        return sum(self._written.values())


def run(
    argv: list[str],
    *,
    sampled: bool = False,
    check: bool = True,
    env: dict[str, str] | None = None,
) -> Run:
    """With `check` a failure ends it all, with stderr. Sampling costs some CPU: not timed."""
    began = time.perf_counter()
    process = subprocess.Popen(
        argv,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **(env or {})},
    )
    sampler = _Sampler(process.pid)
    if sampled:
        sampler.start()
    stdout, stderr = process.communicate()
    seconds = time.perf_counter() - began
    if sampled:
        sampler.stop()
    if check and process.returncode:
        raise SystemExit(f"{' '.join(argv)} ended with {process.returncode}:\n{stderr}")
    return Run(seconds, sampler.memory, sampler.written, stdout)
