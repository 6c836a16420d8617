"""Workers watched from outside: who hangs is killed, and what is found has its mutant's name."""

from __future__ import annotations

import json
import os
import queue
import random
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.fuzzing.guests.seeds import KEPT, prepare

HANG_S = 5.0
MEMORY = 300 << 20
_ORACLE_S = 90.0
_START_S = 60.0
_TESTS = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Name:
    """A mutant. `FORMAT:NUMBER` with a seed makes it again."""

    format: str
    seed: int
    number: int

    def __str__(self) -> str:
        return f"{self.format}:{self.number}"

    def is_read(self, share: float) -> bool:
        """Whether it is read whole, should it be accepted: the same in every run."""
        return random.Random(f"read {self.format} {self.seed} {self.number}").random() < share


@dataclass
class Report:
    """What became of all of them, by format."""

    ends: dict[str, Counter[str]] = field(default_factory=dict)
    read: Counter[str] = field(default_factory=Counter)
    slowest: dict[str, float] = field(default_factory=dict)
    largest: dict[str, int] = field(default_factory=dict)
    findings: list[tuple[Name, str]] = field(default_factory=list)

    def count(self, kind: str) -> int:
        return self.ends.get(kind, Counter()).total()

    def accepted(self, kind: str) -> int:
        return sum(count for end, count in self.ends[kind].items() if _taken(end))


def _taken(end: str) -> bool:
    return end == "accepted" or end.startswith("extracted")


@contextmanager
def _kept(folder: str) -> Iterator[None]:
    """Disks with guests are made once for all workers, and before their time is taken."""
    before = os.environ.get(KEPT)
    os.environ[KEPT] = os.path.join(folder, "seeds")
    os.mkdir(os.environ[KEPT])
    try:
        yield
    finally:
        if before is None:
            del os.environ[KEPT]
        else:
            os.environ[KEPT] = before


class Hangs(Exception):
    """No answer in time, or no worker any more."""


class Worker:
    """One process, in a session of its own: killed with all that it started."""

    def __init__(self, folder: Path, module: str = "support.fuzzing.worker") -> None:
        path = os.pathsep.join(filter(None, (str(_TESTS), os.environ.get("PYTHONPATH", ""))))
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            env=os.environ | {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        )
        self._said = b""
        self.answer(_START_S)

    def ask(self, name: Name, *, read: bool) -> None:
        assert self._process.stdin is not None
        line = f"{name.format} {name.seed} {name.number} {int(read)}\n"
        self._process.stdin.write(line.encode())
        self._process.stdin.flush()

    def answer(self, seconds: float) -> dict[str, Any]:
        assert self._process.stdout is not None
        fd = self._process.stdout.fileno()
        until = time.monotonic() + seconds
        while b"\n" not in self._said:
            left = until - time.monotonic()
            if left <= 0 or not select.select([fd], [], [], left)[0]:
                raise Hangs(f"hang: no answer in {seconds:.0f} s")
            piece = os.read(fd, 1 << 16)
            if not piece:
                raise Hangs(f"crash: the process ended with {self._process.wait()}")
            self._said += piece
        line, _, self._said = self._said.partition(b"\n")
        found: dict[str, Any] = json.loads(line)
        return found

    def end(self) -> None:
        with suppress(ProcessLookupError):  # it has ended by itself
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


class Fuzzer:
    """`share` of the mutants is read whole through the confined tools, where it is accepted."""

    def __init__(
        self,
        *,
        share: float,
        jobs: int,
        until: float | None = None,
        start: Callable[[Path], Worker] = Worker,
        hang_s: float = HANG_S,
    ) -> None:
        self._start = start
        self._hang_s = hang_s
        self.report = Report()
        self._share = share
        self._jobs = jobs
        self._until = until
        self._lock = threading.Lock()
        self._failed: list[BaseException] = []

    def run(self, names: Iterator[Name]) -> Report:
        waiting: queue.SimpleQueue[Name] = queue.SimpleQueue()
        formats: dict[str, None] = {}
        for name in names:
            waiting.put(name)
            formats[name.format] = None
        with tempfile.TemporaryDirectory(prefix="fuzz-") as folder, _kept(folder):
            prepare(formats)
            threads = [
                threading.Thread(target=self._work, args=(waiting, Path(folder) / str(n)))
                for n in range(self._jobs)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        if self._failed:
            raise self._failed[0]
        return self.report

    def _work(self, waiting: queue.SimpleQueue[Name], folder: Path) -> None:
        worker: Worker | None = None
        made = 0
        try:
            while self._until is None or time.monotonic() < self._until:
                try:
                    name = waiting.get_nowait()
                except queue.Empty:
                    return
                if worker is None:
                    made += 1
                    worker = self._start(folder / str(made))
                read = name.is_read(self._share)
                try:
                    self._judge(worker, name, read)
                except Hangs:
                    worker.end()
                    worker = None
                    made += 1
                    self._again(name, read, folder / str(made))
        except BaseException as error:  # noqa: BLE001 - raised in `run`
            self._failed.append(error)
        finally:
            if worker is not None:
                worker.end()

    def _again(self, name: Name, read: bool, folder: Path) -> None:
        """By itself in a fresh process: a machine with much to do makes anything slow once."""
        worker = self._start(folder)
        try:
            self._judge(worker, name, read)
        except Hangs as why:
            self._note(
                name, {"end": "hang", "findings": [str(why)], "seconds": self._hang_s, "peak": 0}
            )
        finally:
            worker.end()

    def _judge(self, worker: Worker, name: Name, read: bool) -> None:
        worker.ask(name, read=read)
        said = worker.answer(self._hang_s)
        if said["peak"] > MEMORY:
            said["findings"].append(f"memory: {said['peak'] >> 20} MiB")
        said["findings"] += worker.answer(_ORACLE_S)["findings"]
        self._note(name, said)

    def _note(self, name: Name, said: dict[str, Any]) -> None:
        with self._lock:
            report, kind = self.report, name.format
            report.ends.setdefault(kind, Counter())[said["end"]] += 1
            report.read[kind] += bool(said.get("read"))
            report.slowest[kind] = max(report.slowest.get(kind, 0.0), said["seconds"])
            report.largest[kind] = max(report.largest.get(kind, 0), said["peak"])
            report.findings += [(name, text) for text in said["findings"]]
