"""Runs of the real command that are ended at a moment, and what must be true afterwards.

For the suite (a few moments a series) and for `scripts/soak` (fifty).
"""

from __future__ import annotations

import itertools
import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from diskwright.model.manifest import Manifest, decode
from diskwright.ports import ObjectStore
from support.command import Command, Ended, files_below, one_line_and_a_hint

OUTLIVES_S = 3.0  # what we promise is one second; a loaded machine starts children slowly
ENDS_S = 120.0
_LOOK_S = 0.002
_MIB = 1 << 20
_BLOCK = 64 << 10


def make_disk(path: Path, mib: int, *, seed: int = 5) -> Path:
    """A raw disk with `mib` MiB of data that compresses to about two thirds, and holes."""
    draw = random.Random(seed)
    pool = draw.randbytes(4 * _MIB)
    with path.open("wb") as file:
        for number in range(mib * _MIB // _BLOCK):
            start = draw.randrange(len(pool) - _BLOCK)
            text = b"%d the same words " % number
            random_bytes = pool[start : start + 40_000]
            filler = (text * (_BLOCK // len(text) + 1))[: _BLOCK - len(random_bytes)]
            file.write(random_bytes + filler)
            if number % 512 == 511:
                file.seek(16 * _MIB, os.SEEK_CUR)
        file.truncate(file.tell() + 16 * _MIB)
    return path


@dataclass(frozen=True)
class Target:
    """A place to prepare to: as the command names it, and as we look into it."""

    url: str
    store: ObjectStore
    folder: Path | None = None

    def committed(self) -> dict[str, Manifest]:
        manifests = [decode(self.store.get(info.key)) for info in self.store.list("manifests/")]
        return {found.image: found for found in manifests if found is not None}

    def leftovers(self) -> list[str]:
        """What belongs to no image that is there."""
        there = self.committed()
        left = [f"upload of {upload.key}" for upload in self.store.list_uploads("")]
        for info in self.store.list(""):
            first, _, rest = info.key.partition("/")
            if first != "manifests" and not (first == "images" and rest.split("/")[0] in there):
                left.append(info.key)
        if self.folder is not None:
            left += files_below(self.folder / ".uploads")
        return left

    def everything(self) -> list[str]:
        return sorted(info.key for info in self.store.list("")) + self.leftovers()


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


def moments(draw: random.Random, whole_s: float, *aimed: Moment) -> Iterator[Moment]:
    """Every third is one of `aimed`, the others anywhere in a run. Without end."""
    for number in itertools.count():
        if number % 3 == 2:
            yield aimed[number // 3 % len(aimed)]
        else:
            yield After(whole_s * draw.uniform(0.02, 1.02))


# --- series ------------------------------------------------------------------------------------


@dataclass
class Series:
    """Kills of one verb, and the figures of it."""

    name: str
    kills: int = 0  # that came in time
    too_late: int = 0
    committed: int = 0  # of the killed runs
    outlived_s: float = 0.0  # the longest that a process of a killed run went on
    took_s: float = 0.0  # the longest from a signal to the end

    def is_over(self, count: int) -> bool:
        """`count` came in time; on a machine whose speed jumps some don't, but not for ever."""
        return self.kills >= count or self.kills + self.too_late >= 2 * count

    def count(self, stopped: Stopped) -> None:
        self.kills += stopped.in_time
        self.too_late += not stopped.in_time
        self.outlived_s = max(self.outlived_s, stopped.outlived_s)


def kill_prepares(
    command: Command,
    target: Target,
    disk: Path,
    tiny: Path,
    options: list[str],
    *,
    count: int,
    draw: random.Random,
    scratch: Path,
) -> Series:
    """`kill -9` in `count` runs of prepare. After each the next run succeeds and cleans up."""
    series = Series(f"prepare to {target.url.partition(':')[0]}")
    prepare = ["prepare", disk, "--data", "--to", target.url, *options]
    restoring = [option for option in options if option.startswith("local:")]
    key = ["--key", restoring[0]] if restoring else []
    whole_s = measured(command, *prepare, "--name", "whole")
    known = set(target.committed())
    aimed = [Event("complete"), Event("commit"), Event("part"), Event("create")]
    for moment in moments(draw, whole_s, *aimed):
        if series.is_over(count):
            break
        wait_s = draw.uniform(0, 0.03) if isinstance(moment, Event) else 0.0
        where = f"{series.name}: {moment}, {wait_s:.3f} s"
        stopped = stop(command, [*prepare, "--name", "big"], moment, signal.SIGKILL, wait_s=wait_s)
        series.count(stopped)
        for image in set(target.committed()) - known:
            _is_whole(command, target, image, disk, scratch, key, where)
            series.committed += stopped.in_time
        ended = command("prepare", tiny, "--data", "--to", target.url, *options, "--name", "tiny")
        assert ended.code == 0, f"{where}: the next run: {ended.err}"
        assert target.leftovers() == [], f"{where}: {target.leftovers()}"
        assert journal_files(command) == [], where
        known = set(target.committed())
        assert len(known) >= 2, where
    return series


def _is_whole(
    command: Command,
    target: Target,
    image: str,
    disk: Path,
    scratch: Path,
    key: list[str],
    where: str,
) -> None:
    out = scratch / "whole.qcow2"
    ended = command("restore", target.url, "--image", image, *key, out, "--force")
    assert ended.code == 0, f"{where}: a manifest without a whole image: {ended.err}"
    same(disk, out, where)


def same(disk: Path, made: Path, where: str) -> None:
    """By qemu-img, which knows nothing of us."""
    done = subprocess.run(
        ["qemu-img", "compare", "-f", "raw", "-F", "qcow2", disk, made], capture_output=True
    )
    assert done.returncode == 0, f"{where}: {done.stdout!r} {done.stderr!r}"


def kill_restores(
    command: Command,
    arguments: list,
    disk: Path,
    *,
    count: int,
    draw: random.Random,
    scratch: Path,
) -> Series:
    """`kill -9` of `count` runs of restore; `arguments` name the image. OUT is whole or absent."""
    series = Series("restore")
    out = scratch / "restored.qcow2"
    whole_s = measured(command, "restore", *arguments, out)
    same(disk, out, "restore")
    out.unlink()
    for moment in moments(draw, whole_s, Appears(out), After(whole_s * 0.95)):
        if series.is_over(count):
            break
        where = f"restore: {moment}"
        before = files_below(scratch)
        series.count(stop(command, ["restore", *arguments, out], moment, signal.SIGKILL))
        if out.exists():
            same(disk, out, where)
            series.committed += 1
            out.unlink()
        assert files_below(scratch) == before, where
        ended = command("restore", *arguments, out)
        assert ended.code == 0, f"{where}: the next run: {ended.err}"
        same(disk, out, where)
        out.unlink()
    return series


def cancel_runs(
    command: Command,
    name: str,
    arguments: list,
    left: Callable[[], list[str]],
    undo: Callable[[], None],
    *,
    count: int,
    draw: random.Random,
) -> Series:
    """SIGINT, SIGTERM or SIGHUP at `count` moments. `left` is what is there afterwards, which is
    nothing unless the run ended well, which `undo` takes back."""
    series = Series(f"cancel {name}")
    whole_s = measured(command, *arguments)
    undo()
    for number in range(count):
        asked = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)[number % 3]
        moment = Listening(whole_s * draw.uniform(0.05, 1.0))
        where = f"{series.name}: {asked.name} {moment}"
        stopped = stop(command, arguments, moment, asked)
        series.count(stopped)
        if stopped.ended.code == 0:
            series.committed += 1
            undo()
        else:
            assert stopped.ended.code == 128 + asked, f"{where}: {stopped.ended}"
            assert "cancelled; nothing was left" in one_line_and_a_hint(stopped.ended), where
            series.took_s = max(series.took_s, stopped.took_s)
        assert left() == [], f"{where}: {left()}"
        assert journal_files(command) == [], where
    return series
