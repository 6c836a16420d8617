"""A staged file is nobody else's to read, and what a killed run left goes with the next."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from diskwright.adapters import scratch
from diskwright.adapters.file_sink import FileSink
from diskwright.adapters.staging import BesideTarget
from diskwright.errors import (
    Cancelled,
    DataTampered,
    DiskFull,
    OutputNotWritable,
    TargetExists,
)
from diskwright.model.stored import Chunk
from support import unprivileged

STAGE_AND_WAIT = """
import sys
from diskwright.adapters.file_sink import FileSink
from diskwright.adapters.staging import BesideTarget
with BesideTarget(sys.argv[1], force=False) as staged:
    with FileSink(staged.path, force=True) as sink:
        sink.finish()
    print("staged", flush=True)
    sys.stdin.read()
"""


def test_the_next_run_removes_what_a_killed_one_left_and_nothing_that_lives(tmp_path: Path) -> None:
    target = tmp_path / "out"
    command = [sys.executable, "-c", STAGE_AND_WAIT, target]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"staged\n"
        with BesideTarget(str(target), force=False):
            assert len(os.listdir(tmp_path)) == 2
        assert len(os.listdir(tmp_path)) == 1
        child.kill()
    assert len(os.listdir(tmp_path)) == 1
    with BesideTarget(str(target), force=False) as staged:
        assert os.listdir(tmp_path) == [os.path.basename(os.path.dirname(staged.path))]
    assert os.listdir(tmp_path) == []


def test_a_stage_in_a_stage_goes_with_the_next_run_too(tmp_path: Path) -> None:
    """As a converted disk is staged on its way to a file that is staged with its digest."""
    target = tmp_path / "out"
    outside = tmp_path.with_name("outside")
    outside.mkdir()
    (outside / "kept").touch()
    left = tmp_path / ".out.diskwright-0123456789ab" / ".out.diskwright-ba9876543210"
    left.mkdir(parents=True)
    (left / "out").touch()
    (left / "link").symlink_to(outside)
    with BesideTarget(str(target), force=False):
        assert len(os.listdir(tmp_path)) == 1
    assert os.listdir(tmp_path) == []
    assert (outside / "kept").exists()


def test_a_stage_in_a_scratch_folder_goes_with_the_next_run_too(tmp_path: Path) -> None:
    """As a disk in another format is made there, on its way to a bucket."""
    state = tmp_path / "state"
    left = state / f"{scratch.PREFIX}0123456789ab" / ".disk.diskwright-ba9876543210"
    left.mkdir(parents=True)
    (left / "disk").touch()
    with scratch.scratch_folder(str(state)) as folder:
        assert os.listdir(state) == [os.path.basename(folder)]
    assert os.listdir(state) == []


def test_nobody_else_reads_it_until_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "out"
    with BesideTarget(str(target), force=False) as staged:
        with FileSink(staged.path, force=True) as sink:
            sink.write(Chunk(0, b"secret"))
            sink.finish()
        assert os.stat(os.path.dirname(staged.path)).st_mode & 0o777 == 0o700
        staged.commit()
    assert target.read_bytes() == b"secret"
    assert os.listdir(tmp_path) == ["out"]


def refuse(number: int) -> Callable[..., int]:
    def call(*_: object, **__: object) -> int:
        raise OSError(number, os.strerror(number))

    return call


@pytest.mark.parametrize("number", [errno.EOPNOTSUPP, errno.ENOLCK, errno.ENOSYS])
def test_where_nothing_can_be_locked_it_says_so_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr(fcntl, "flock", refuse(number))
    with (
        pytest.raises(OutputNotWritable, match="can't be locked") as caught,
        BesideTarget(str(tmp_path / "out"), force=False),
    ):
        pass
    assert caught.value.path == str(tmp_path / "out")
    assert "local file system" in caught.value.hint
    assert os.listdir(tmp_path) == []


def test_a_lock_that_others_take_each_time_ends_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fcntl, "flock", refuse(errno.EWOULDBLOCK))
    with (
        pytest.raises(OutputNotWritable, match="other runs"),
        BesideTarget(str(tmp_path / "out"), force=False),
    ):
        pass
    assert os.listdir(tmp_path) == []


def test_a_folder_that_may_be_written_and_not_listed_will_do(tmp_path: Path) -> None:
    folder = tmp_path / "drop"
    folder.mkdir()
    unprivileged.let_through(tmp_path)
    if os.geteuid() == 0:
        os.chown(folder, unprivileged.USER, unprivileged.USER)
    folder.chmod(0o300)
    try:
        ended = unprivileged.run(
            "from diskwright.adapters.file_sink import FileSink\n"
            "from diskwright.adapters.staging import BesideTarget\n"
            "from diskwright.model.stored import Chunk\n"
            "with BesideTarget(sys.argv[1] + '/staged', force=False) as staged:\n"
            "    with FileSink(staged.path, force=True) as sink:\n"
            "        sink.write(Chunk(0, b'whole')); sink.finish()\n"
            "    staged.commit()\n"
            "with FileSink(sys.argv[1] + '/straight', force=False) as sink:\n"
            "    sink.write(Chunk(0, b'whole')); sink.finish()\n",
            folder,
        )
    finally:
        folder.chmod(0o700)
    assert ended.code == 0, ended.err
    assert sorted(os.listdir(folder)) == ["staged", "straight"]
    assert (folder / "staged").read_bytes() == (folder / "straight").read_bytes() == b"whole"


def leave_stage(target: Path) -> Path:
    """As of a killed run, with something in it that is none of ours."""
    stage = target.with_name(f".{target.name}.diskwright-0123456789ab")
    (stage / "folder").mkdir(parents=True)
    return stage


def test_what_a_killed_run_left_and_resists_is_named(tmp_path: Path) -> None:
    stage = leave_stage(tmp_path / "out")
    with (
        pytest.raises(OutputNotWritable, match="can't be removed") as caught,
        BesideTarget(str(tmp_path / "out"), force=False),
    ):
        pass
    assert caught.value.path == str(stage)
    assert caught.value.hint == f"rm -r -- {stage}"
    assert os.listdir(tmp_path) == [stage.name]


def test_a_folder_that_only_looks_like_one_of_ours_stays(tmp_path: Path) -> None:
    (tmp_path / ".out.diskwright-importantda").mkdir()
    (tmp_path / ".out.diskwright-importantda" / "file").touch()
    with BesideTarget(str(tmp_path / "out"), force=False):
        pass
    assert os.listdir(tmp_path / ".out.diskwright-importantda") == ["file"]


def test_the_line_to_remove_it_can_be_pasted(tmp_path: Path) -> None:
    folder = tmp_path / "with space"
    stage = leave_stage(folder / "out")
    with (
        pytest.raises(OutputNotWritable) as caught,
        BesideTarget(str(folder / "out"), force=False),
    ):
        pass
    assert caught.value.hint == f"rm -r -- '{stage}'"


def staged_with_a_folder_in_it(target: Path, error: BaseException | None) -> None:
    with BesideTarget(str(target), force=False) as staged:
        os.mkdir(os.path.join(os.path.dirname(staged.path), "folder"))
        if error is not None:
            raise error


def test_a_stage_that_resists_is_told_and_hides_no_other_error(tmp_path: Path) -> None:
    with pytest.raises(OutputNotWritable, match="can't be removed"):
        staged_with_a_folder_in_it(tmp_path / "a", None)
    with pytest.raises(Cancelled, match=r"cancelled; but .*/\.b\.diskwright-\w+ was left behind"):
        staged_with_a_folder_in_it(tmp_path / "b", Cancelled())
    tampered = DataTampered("part 1", "its digest is another")
    with pytest.raises(DataTampered) as caught:
        staged_with_a_folder_in_it(tmp_path / "c", tampered)
    assert "can't be removed" in caught.value.__notes__[0]


@pytest.mark.parametrize(
    ("number", "expected"), [(errno.EIO, OutputNotWritable), (errno.ENOSPC, DiskFull)]
)
@pytest.mark.parametrize("what", ["file", "folder"])
def test_what_can_not_be_synced_leaves_no_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, number: int, expected: type
) -> None:
    real = os.fsync

    def fsync(fd: int) -> None:
        if stat.S_ISDIR(os.fstat(fd).st_mode) == (what == "folder"):
            refuse(number)()
        real(fd)

    with BesideTarget(str(tmp_path / "out"), force=False) as staged:
        monkeypatch.setattr(os, "fsync", fsync)
        with pytest.raises(expected):
            staged.commit()
    assert os.listdir(tmp_path) == []


def test_a_file_system_without_links_will_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "link", refuse(errno.EPERM))
    with BesideTarget(str(tmp_path / "out"), force=False) as staged:
        Path(staged.path).write_bytes(b"whole")
        staged.commit()
    assert (tmp_path / "out").read_bytes() == b"whole"


@pytest.mark.parametrize("make", [Path.mkdir, lambda p: p.symlink_to("/dev/null"), os.mkfifo])
@pytest.mark.parametrize("way", ["staged", "straight"])
def test_what_took_the_name_meanwhile_is_replaced_only_if_it_is_a_file(
    tmp_path: Path, make: Callable[[Path], None], way: str
) -> None:
    target = tmp_path / "out"
    with ExitStack() as stack:
        if way == "staged":
            publish = stack.enter_context(BesideTarget(str(target), force=True)).commit
        else:
            publish = stack.enter_context(FileSink(str(target), force=True)).finish
        make(target)
        with pytest.raises(OutputNotWritable, match=r"not a regular file|is a directory"):
            publish()
    assert os.listdir(tmp_path) == ["out"]
    assert not stat.S_ISREG(os.lstat(target).st_mode)


def test_a_file_that_took_the_name_meanwhile_stays_without_force(tmp_path: Path) -> None:
    target = tmp_path / "out"
    with BesideTarget(str(target), force=False) as staged:
        target.write_bytes(b"precious")
        with pytest.raises(TargetExists):
            staged.commit()
    assert target.read_bytes() == b"precious"
    assert os.listdir(tmp_path) == ["out"]
