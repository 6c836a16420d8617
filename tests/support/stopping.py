"""Runs of the real command that are ended at a moment: by which signal, when, and what went on."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from support.command import Command, Ended

OUTLIVES_S = 3.0  # what we promise is one second; a loaded machine starts children slowly
ENDS_S = 120.0
_LOOK_S = 0.002


def journal_files(command: Command) -> list[Path]:
    """The entries of runs that are under way, or dead."""
    return sorted((command.home / "state").rglob("uploads/*.json"))


def processes() -> dict[int, tuple[int, str]]:
    """Of this machine: pid -> (parent, start time)."""
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                stat = Path("/proc", name, "stat").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue
            fields = stat.rpartition(")")[2].split()
            if fields[0] not in "ZX":
                found[int(name)] = (int(fields[1]), fields[19])
    return found


def descendants(pid: int) -> set[tuple[int, str]]:
    """(pid, start time) of all below `pid`: the pair names a process for good."""
    everyone = processes()
    family = {pid}
    while True:
        more = {child for child, (parent, _) in everyone.items() if parent in family} - family
        if not more:
            break
        family |= more
    return {(member, everyone[member][1]) for member in family - {pid} if member in everyone}


def command_lines(pid: int) -> dict[int, str]:
    """The processes below `pid`, with their arguments."""
    lines = {}
    for member, _ in descendants(pid):
        try:
            words = Path(f"/proc/{member}/cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            continue
        lines[member] = words.replace(b"\0", b" ").decode(errors="replace")
    return lines


def outlived(family: set[tuple[int, str]], limit_s: float = OUTLIVES_S) -> float:
    """How long after now the last of them ended, in seconds. AssertionError past the limit."""
    begun = time.monotonic()
    while True:
        everyone = processes()
        alive = [pid for pid, start in family if everyone.get(pid, (0, ""))[1] == start]
        took = time.monotonic() - begun
        if not alive:
            return took
        assert took < limit_s, f"processes {alive} outlived us by {took:.1f} s"
        time.sleep(_LOOK_S)


# --- moments -----------------------------------------------------------------------------------

Moment = Callable[[subprocess.Popen, Command, float], bool]  # True once it has come


@dataclass(frozen=True)
class After:
    """That many seconds after the start."""

    seconds: float

    def __call__(self, process: subprocess.Popen, command: Command, begun: float) -> bool:
        return time.monotonic() - begun >= self.seconds

    def __str__(self) -> str:
        return f"after {self.seconds:.3f} s"


@dataclass(frozen=True)
class Listening(After):
    """After that many seconds, and once it listens to SIGTERM: before, nothing was begun."""

    def __call__(self, process: subprocess.Popen, command: Command, begun: float) -> bool:
        if not super().__call__(process, command, begun):
            return False
        status = Path(f"/proc/{process.pid}/status").read_text()
        caught = next(line for line in status.splitlines() if line.startswith("SigCgt:"))
        return bool(int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1)


@dataclass(frozen=True)
class Event:
    """When the journal has that event: create, upload, part, complete, commit."""

    name: str

    def __call__(self, process: subprocess.Popen, command: Command, begun: float) -> bool:
        wanted = f'"event":"{self.name}"'
        for path in journal_files(command):
            try:
                if wanted in path.read_text():
                    return True
            except FileNotFoundError:
                return False
        return False

    def __str__(self) -> str:
        return f"at {self.name}"


@dataclass(frozen=True)
class Appears:
    """When a file is there."""

    path: Path

    def __call__(self, process: subprocess.Popen, command: Command, begun: float) -> bool:
        return self.path.exists()

    def __str__(self) -> str:
        return f"when {self.path.name} appears"


@dataclass(frozen=True)
class Staged:
    """When something is staged beside an output."""

    path: Path

    def __call__(self, process: subprocess.Popen, command: Command, begun: float) -> bool:
        folder = self.path.parent
        return any(name.startswith(f".{self.path.name}.") for name in os.listdir(folder))

    def __str__(self) -> str:
        return f"when something is staged for {self.path.name}"


@dataclass(frozen=True)
class Stopped:
    """How a run that was ended went. `in_time`: it still ran at its moment."""

    ended: Ended
    in_time: bool
    took_s: float  # from the signal to the end
    outlived_s: float


def stop(
    command: Command, arguments: list, moment: Moment, *signals: int, wait_s: float = 0.0
) -> Stopped:
    """Start the command, wait for the moment, send the signals, and wait for the end of all."""
    process = command.start(*arguments)
    begun = time.monotonic()
    try:
        while process.poll() is None and not moment(process, command, begun):
            assert time.monotonic() - begun < ENDS_S, f"{moment}: it never came"
            time.sleep(_LOOK_S)
        time.sleep(wait_s)
        # While it stands still it starts nobody, so its family is complete.
        process.send_signal(signal.SIGSTOP)
        family = descendants(process.pid)
        in_time = process.poll() is None
        sent = time.monotonic()
        for number in signals:
            process.send_signal(number)
            process.send_signal(signal.SIGCONT)
        out, err = process.communicate(timeout=ENDS_S)
        took = time.monotonic() - sent
    finally:
        process.kill()
        process.wait()
    return Stopped(Ended(process.returncode, out, err), in_time, took, outlived(family))


def measured(command: Command, *arguments: str | Path) -> float:
    """Seconds of a whole run, which has to succeed."""
    begun = time.monotonic()
    ended = command(*arguments)
    assert ended.code == 0, ended.err
    return time.monotonic() - begun
