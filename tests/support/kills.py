"""Series of runs that are killed or cancelled, and what must be true after each.

For the suite (a few moments a series) and for `scripts/soak` (fifty).
"""

from __future__ import annotations

import itertools
import os
import random
import signal
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from diskwright.model.manifest import Manifest, decode
from diskwright.ports import ObjectStore
from support.command import Command, files_below, one_line_and_a_hint
from support.stopping import (
    After,
    Appears,
    Event,
    Listening,
    Moment,
    Staged,
    Stopped,
    journal_files,
    measured,
    stop,
)

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


def moments(draw: random.Random, whole_s: float, *aimed: Moment) -> Iterator[Moment]:
    """Every third is one of `aimed`, the others anywhere in a run. Without end."""
    for number in itertools.count():
        if number % 3 == 2:
            yield aimed[number // 3 % len(aimed)]
        else:
            yield After(whole_s * draw.uniform(0.02, 1.02))


@dataclass
class Series:
    """Kills of one verb, and the figures of it."""

    name: str
    kills: int = 0  # that came in time
    too_late: int = 0
    committed: int = 0  # of the killed runs
    stages: int = 0  # that killed runs left, for the next to remove
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


def same(disk: Path, made: Path, where: str, *, made_format: str = "qcow2") -> None:
    """By qemu-img, which knows nothing of us."""
    done = subprocess.run(
        ["qemu-img", "compare", "-f", "raw", "-F", made_format, disk, made], capture_output=True
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
    made_format: str = "qcow2",
) -> Series:
    """`kill -9` of `count` runs of restore; `arguments` name the image. OUT is whole or absent.

    `made_format` is the stored one, unless `arguments` ask for another.
    """
    series = Series("restore")
    out = scratch / f"restored.{made_format}"
    staged = bool({"--verify", "-O"} & set(arguments))
    whole_s = measured(command, "restore", *arguments, out)
    same(disk, out, "restore", made_format=made_format)
    out.unlink()
    aimed = [Staged(out)] if staged else []
    for moment in moments(draw, whole_s, *aimed, Appears(out), After(whole_s * 0.95)):
        if series.is_over(count):
            break
        where = f"restore: {moment}"
        series.count(stop(command, ["restore", *arguments, out], moment, signal.SIGKILL))
        if out.exists():
            same(disk, out, where, made_format=made_format)
            series.committed += 1
            out.unlink()
        for left in scratch.iterdir():  # only a staged run leaves something, until the next
            assert staged, f"{where}: {left}"
            assert left.name.startswith(f".{out.name}.diskwright-"), f"{where}: {left}"
            assert left.stat().st_mode & 0o777 == 0o700, f"{where}: {left}"
            series.stages += 1
        ended = command("restore", *arguments, out)
        assert ended.code == 0, f"{where}: the next run: {ended.err}"
        same(disk, out, where, made_format=made_format)
        out.unlink()
        assert os.listdir(scratch) == [], where
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
