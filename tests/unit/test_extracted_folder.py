"""A folder that is extracted into: whole files, nothing outside, nothing left of a failure."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from diskwright.adapters.extracted_folder import ExtractedFolder
from diskwright.errors import OutputNotWritable, TargetExists
from diskwright.model.image import FileIdentity
from support.command import files_below

NOBODY = FileIdentity("/discs/disc.iso", 0, 0, 0, 0)


def folder(path: Path, *, force: bool = False, source: FileIdentity = NOBODY) -> ExtractedFolder:
    return ExtractedFolder(str(path), force=force, source=source)


def put(output: ExtractedFolder, name: str, data: bytes = b"data", **how: int | None) -> None:
    said = {"mode": None, "mtime": None} | how
    output.file(tuple(name.split("/")), [(0, data)], size=len(data), **said)


def test_files_folders_and_links_appear(tmp_path: Path) -> None:
    target = tmp_path / "out"
    with folder(target) as output:
        output.folder(("d",), mode=0o500, mtime=1_000)
        put(output, "d/f", mode=0o6444, mtime=2_000)
        output.link(("d", "l"), "f", mtime=3_000)
        output.finish()
    assert files_below(target) == ["d", "d/f", "d/l"]
    assert (target / "d/f").read_bytes() == b"data"
    assert (target / "d/f").stat().st_mode & 0o7777 == 0o644
    assert (target / "d").stat().st_mode & 0o7777 == 0o700
    times = [path.lstat().st_mtime for path in (target / "d", target / "d/f", target / "d/l")]
    assert times == [1_000, 2_000, 3_000]
    assert os.readlink(target / "d/l") == "f"


def test_zeros_that_are_not_given_are_there(tmp_path: Path) -> None:
    with folder(tmp_path / "out") as output:
        output.file(("f",), [(4096, b"end")], size=10_000, mode=None, mtime=None)
        output.finish()
    data = (tmp_path / "out/f").read_bytes()
    assert data == bytes(4096) + b"end" + bytes(10_000 - 4099)


def test_without_finish_nothing_stays(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    for target in (tmp_path / "new", tmp_path / "there"):
        with folder(target) as output:
            output.folder(("d",), mode=None, mtime=None)
            put(output, "d/f")
            output.link(("d", "l"), "f", mtime=None)
    assert files_below(tmp_path) == ["there"]


def test_a_source_that_fails_leaves_no_file(tmp_path: Path) -> None:
    def broken():
        yield 0, b"half"
        raise ValueError("gone")

    with folder(tmp_path / "out") as output:
        put(output, "good")
        with pytest.raises(ValueError, match="gone"):
            output.file(("bad",), broken(), size=8, mode=None, mtime=None)
        output.finish()
    assert files_below(tmp_path / "out") == ["good"]


def test_a_folder_that_is_not_empty_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("mine")
    with pytest.raises(TargetExists) as caught, folder(tmp_path):
        pass
    assert "--force" in caught.value.hint
    assert (tmp_path / "f").read_text() == "mine"


def test_with_force_files_and_links_are_replaced_in_one_step(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("mine")
    target = tmp_path / "out"
    (target / "d").mkdir(parents=True)
    (target / "other").write_text("stays")
    (target / "d/f").symlink_to(outside)
    (target / "d/l").write_text("old")
    with folder(target, force=True) as output:
        output.folder(("d",), mode=None, mtime=None)
        put(output, "d/f")
        output.link(("d", "l"), "f", mtime=None)
        output.finish()
    assert outside.read_text() == "mine"
    assert (target / "d/f").read_bytes() == b"data"
    assert not (target / "d/f").is_symlink()
    assert os.readlink(target / "d/l") == "f"
    assert files_below(target) == ["d", "d/f", "d/l", "other"]


@pytest.mark.parametrize("name", ["d", "d/x"])
def test_a_link_in_the_way_is_never_followed(tmp_path: Path, name: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    target = tmp_path / "out"
    target.mkdir()
    (target / "d").symlink_to(outside)
    with (
        pytest.raises((OutputNotWritable, TargetExists)),
        folder(target, force=True) as output,
    ):
        output.folder(tuple(name.split("/")), mode=None, mtime=None)
    with pytest.raises(OutputNotWritable), folder(target, force=True) as output:
        put(output, "d/evil")
    assert files_below(outside) == []


def test_a_folder_is_not_replaced_by_a_file(tmp_path: Path) -> None:
    (tmp_path / "out/f").mkdir(parents=True)
    with (
        pytest.raises(OutputNotWritable, match="neither a file nor a link"),
        folder(tmp_path / "out", force=True) as output,
    ):
        put(output, "f")
    assert files_below(tmp_path / "out") == ["f"]


def test_the_source_is_never_replaced(tmp_path: Path) -> None:
    disc = tmp_path / "disc.iso"
    disc.write_text("the disc")
    status = disc.stat()
    source = FileIdentity(str(disc), status.st_dev, status.st_ino, 8, 0)
    with (
        pytest.raises(OutputNotWritable, match="it is the source"),
        folder(tmp_path, force=True, source=source) as output,
    ):
        put(output, "disc.iso")
    assert disc.read_text() == "the disc"
    assert files_below(tmp_path) == ["disc.iso"]


def test_two_entries_of_one_name_are_an_error_without_force(tmp_path: Path) -> None:
    with folder(tmp_path / "out") as output:
        put(output, "f")
        with pytest.raises(TargetExists):
            put(output, "f", b"second")
        output.finish()
    assert (tmp_path / "out/f").read_bytes() == b"data"


def test_where_files_need_a_name_they_get_a_temporary_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = os.open

    def without_tmpfile(path: str, flags: int, *rest: int, **options: int) -> int:
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(errno.EOPNOTSUPP, "no O_TMPFILE")
        return really(path, flags, *rest, **options)

    monkeypatch.setattr(os, "open", without_tmpfile)
    with folder(tmp_path / "out") as output:
        put(output, "f")
        with pytest.raises(TargetExists):
            put(output, "f", b"second")
        output.finish()
    with folder(tmp_path / "out", force=True) as output:
        put(output, "f", b"third")
        output.finish()
    assert files_below(tmp_path / "out") == ["f"]
    assert (tmp_path / "out/f").read_bytes() == b"third"


def test_a_folder_that_can_not_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for target in (tmp_path / "file", tmp_path / "none/out", tmp_path / "file/out"):
        with pytest.raises(OutputNotWritable), folder(target):
            pass
