"""An output file is there whole or not at all, and never in another's place."""

from __future__ import annotations

import errno
import os
import resource
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from diskwright.adapters import file_sink
from diskwright.adapters.file_sink import FileSink
from diskwright.blockio import placing
from diskwright.errors import DiskFull, OutputNotWritable, TargetExists
from diskwright.model.stored import Chunk

Patch = pytest.MonkeyPatch


def refuse(number: int) -> Callable[..., int]:
    def call(*_: object, **__: object) -> int:
        raise OSError(number, os.strerror(number))

    return call


@pytest.fixture(params=["nameless", "named", "named without links"])
def way(request: pytest.FixtureRequest, monkeypatch: Patch) -> str:
    """How the file system lets us work: the two poorer ways are played by refusing calls."""
    real_open = os.open

    def no_tmpfile(path: str, flags: int, mode: int = 0o777) -> int:
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(errno.EOPNOTSUPP, "no O_TMPFILE here")
        return real_open(path, flags, mode)

    if request.param != "nameless":
        monkeypatch.setattr(file_sink.os, "open", no_tmpfile)
    if request.param == "named without links":
        monkeypatch.setattr(file_sink.os, "link", refuse(errno.EPERM))
    return str(request.param)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def fill(sink: FileSink) -> None:
    sink.write(Chunk(70_000, b"data"))
    sink.write(Chunk(200_000, b""))
    sink.write(Chunk(0, memoryview(b"head")))


def write_whole(target: Path) -> None:
    with FileSink(str(target), force=False) as sink:
        fill(sink)
        sink.finish()


WHOLE = b"head" + bytes(69_996) + b"data" + bytes(129_996)


def test_it_appears_whole_when_finished_and_not_before(tmp_path: Path, way: str) -> None:
    target = tmp_path / "out.raw"
    with FileSink(str(target), force=False) as sink:
        fill(sink)
        assert not target.exists()
        assert len(names(tmp_path)) == (0 if way == "nameless" else 1)
        stored = sink.finish()
    assert target.read_bytes() == WHOLE
    assert (stored.key, stored.size) == (str(target), len(WHOLE))
    assert names(tmp_path) == ["out.raw"]


def test_the_bytes_are_synced_before_the_name_and_the_name_after(
    tmp_path: Path, way: str, monkeypatch: Patch
) -> None:
    target = tmp_path / "out"
    synced: list[tuple[bool, bool]] = []
    monkeypatch.setattr(
        file_sink.os,
        "fsync",
        lambda fd: synced.append((stat.S_ISDIR(os.fstat(fd).st_mode), target.exists())),
    )
    write_whole(target)
    assert synced == [(False, False), (True, True)]


def test_gaps_stay_holes(tmp_path: Path, way: str) -> None:
    target = tmp_path / "out.raw"
    with FileSink(str(target), force=False) as sink:
        sink.write(Chunk(1 << 30, b"end"))
        sink.finish()
    status = target.stat()
    assert status.st_size == (1 << 30) + 3
    assert status.st_blocks * 512 < 1 << 20


def test_permissions_are_those_of_any_new_file(tmp_path: Path, way: str) -> None:
    old = os.umask(0o027)
    try:
        with FileSink(str(tmp_path / "out"), force=False) as sink:
            sink.finish()
    finally:
        os.umask(old)
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o640


def test_without_finish_nothing_is_left(tmp_path: Path, way: str) -> None:
    with FileSink(str(tmp_path / "out"), force=False) as sink:
        fill(sink)
    assert names(tmp_path) == []


def test_abort_may_come_twice_and_leaves_a_finished_file(tmp_path: Path, way: str) -> None:
    sink = FileSink(str(tmp_path / "a"), force=False)
    sink.abort()
    sink.abort()
    sink = FileSink(str(tmp_path / "b"), force=False)
    fill(sink)
    sink.finish()
    sink.abort()
    assert names(tmp_path) == ["b"]


def test_an_existing_file_is_refused_at_once(tmp_path: Path, way: str) -> None:
    target = tmp_path / "out"
    target.write_bytes(b"precious")
    with pytest.raises(TargetExists):
        FileSink(str(target), force=False)
    assert target.read_bytes() == b"precious"
    assert names(tmp_path) == ["out"]


def test_a_file_made_meanwhile_is_refused_at_the_end(tmp_path: Path, way: str) -> None:
    target = tmp_path / "out"
    with FileSink(str(target), force=False) as sink:
        fill(sink)
        target.write_bytes(b"precious")
        with pytest.raises(TargetExists):
            sink.finish()
    assert target.read_bytes() == b"precious"
    assert names(tmp_path) == ["out"]


def test_a_dangling_link_counts_as_existing(tmp_path: Path, way: str) -> None:
    (tmp_path / "out").symlink_to("nowhere")
    with pytest.raises(TargetExists):
        FileSink(str(tmp_path / "out"), force=False)


def test_force_replaces_a_file_only_when_finished(tmp_path: Path, way: str) -> None:
    target = tmp_path / "out"
    target.write_bytes(b"old")
    with FileSink(str(target), force=True) as sink:
        fill(sink)
        assert target.read_bytes() == b"old"
        sink.finish()
    assert target.read_bytes() == WHOLE
    assert names(tmp_path) == ["out"]


def test_force_keeps_the_old_file_when_it_fails(tmp_path: Path, way: str) -> None:
    target = tmp_path / "out"
    target.write_bytes(b"old")
    with FileSink(str(target), force=True) as sink:
        fill(sink)
    assert target.read_bytes() == b"old"
    assert names(tmp_path) == ["out"]


def test_force_makes_a_file_where_none_is(tmp_path: Path, way: str) -> None:
    with FileSink(str(tmp_path / "out"), force=True) as sink:
        fill(sink)
        sink.finish()
    assert (tmp_path / "out").read_bytes() == WHOLE


def test_a_failed_replacement_leaves_no_other_name(
    tmp_path: Path, way: str, monkeypatch: Patch
) -> None:
    target = tmp_path / "out"
    target.write_bytes(b"old")
    monkeypatch.setattr(file_sink.os, "replace", refuse(errno.EIO))
    with pytest.raises(OutputNotWritable), FileSink(str(target), force=True) as sink:
        sink.finish()
    assert names(tmp_path) == ["out"]
    assert target.read_bytes() == b"old"


@pytest.mark.parametrize("make", [Path.mkdir, lambda p: p.symlink_to("/dev/null"), os.mkfifo])
def test_force_replaces_nothing_but_a_file(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "out")
    with pytest.raises(OutputNotWritable):
        FileSink(str(tmp_path / "out"), force=True)
    assert names(tmp_path) == ["out"]


@pytest.mark.parametrize("name", ["json:x", "a,b", "-x", "nbd:x", "fat:x", "ä" * 120, "\udcff"])
def test_any_name_is_a_file_name(tmp_path: Path, way: str, name: str) -> None:
    with FileSink(str(tmp_path / name), force=False) as sink:
        fill(sink)
        sink.finish()
    assert (tmp_path / name).read_bytes() == WHOLE


def test_a_relative_path_stays_where_it_was_named(tmp_path: Path, monkeypatch: Patch) -> None:
    monkeypatch.chdir(tmp_path)
    with FileSink("out", force=False) as sink:
        monkeypatch.chdir("/")
        sink.finish()
    assert names(tmp_path) == ["out"]


@pytest.mark.parametrize("path", ["missing/out", "file/out", "n" * 300])
def test_a_place_that_can_not_be_written_is_said_at_once(tmp_path: Path, path: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputNotWritable) as caught:
        FileSink(str(tmp_path / path), force=False)
    assert caught.value.path == str(tmp_path / path)
    assert names(tmp_path) == ["file"]


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.EPERM])
def test_a_refusal_of_the_system_is_not_writable(
    tmp_path: Path, monkeypatch: Patch, number: int
) -> None:
    monkeypatch.setattr(file_sink.os, "open", refuse(number))
    with pytest.raises(OutputNotWritable) as caught:
        FileSink(str(tmp_path / "out"), force=False)
    assert caught.value.reason == os.strerror(number)


@pytest.mark.parametrize("call", ["pwrite", "ftruncate", "fsync"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_leaves_nothing(
    tmp_path: Path, way: str, monkeypatch: Patch, call: str, number: int
) -> None:
    monkeypatch.setattr(file_sink.os, call, refuse(number))
    with pytest.raises(DiskFull):
        write_whole(tmp_path / "out")
    assert names(tmp_path) == []


def test_a_file_over_the_limit_of_the_process_leaves_nothing(tmp_path: Path, way: str) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
        with (
            pytest.raises(OutputNotWritable, match="too large"),
            FileSink(str(tmp_path / "out"), force=False) as sink,
        ):
            sink.write(Chunk(0, bytes(150_000)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert names(tmp_path) == []


def test_short_writes_are_continued(tmp_path: Path, monkeypatch: Patch) -> None:
    real = os.pwrite
    monkeypatch.setattr(file_sink.os, "pwrite", lambda fd, data, at: real(fd, data[:1000], at))
    data = bytes(range(251)) * 100
    with FileSink(str(tmp_path / "out"), force=False) as sink:
        sink.write(Chunk(5, data))
        sink.finish()
    assert (tmp_path / "out").read_bytes() == bytes(5) + data


def test_long_outputs_are_flushed_on_the_way(tmp_path: Path, monkeypatch: Patch) -> None:
    flushed: list[int] = []
    monkeypatch.setattr(file_sink.os, "posix_fadvise", lambda *call: flushed.append(call[3]))
    with FileSink(str(tmp_path / "out"), force=False) as sink:
        for number in range(40):
            sink.write(Chunk(number << 20, bytes(1 << 20)))
    assert len(flushed) == 2


def test_a_name_that_can_not_be_synced_is_taken_back(
    tmp_path: Path, way: str, monkeypatch: Patch
) -> None:
    monkeypatch.setattr(placing, "sync_folder", refuse(errno.EIO))
    with pytest.raises(OutputNotWritable):
        write_whole(tmp_path / "out")
    assert names(tmp_path) == []
