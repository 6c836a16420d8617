"""A named file is opened as a regular file or not at all, and is known again."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from diskwright.errors import InputMissing, InputNotAFile, InputUnreadable, SourceChanged
from diskwright.formats.identity import check_identity, open_image, take_identity
from support.images import look_at


@pytest.mark.parametrize(
    "name", ["json:x", "fat:x", "nbd:x", "a,b", "-x", "json:{}", "a b", "ü", "x\nmy", "\udcff"]
)
def test_any_name_is_a_files(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / name).write_bytes(bytes(1024))
    monkeypatch.chdir(tmp_path)
    assert look_at(name).virtual_size == 1024
    assert take_identity(name).path == str(tmp_path / name)


def test_the_descriptor_is_read_only_and_not_inherited(tmp_path: Path) -> None:
    (tmp_path / "disk").write_bytes(bytes(512))
    fd, identity = open_image(str(tmp_path / "disk"))
    try:
        assert not os.get_inheritable(fd)
        assert os.get_blocking(fd)
        assert identity.size == 512
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.write(fd, b"x")
    finally:
        os.close(fd)


@pytest.mark.parametrize("name", ["", "absent", "disk/below", "dangling"])
def test_a_missing_file_is_said_to_be_missing(name: str, tmp_path: Path) -> None:
    (tmp_path / "disk").write_bytes(bytes(512))
    (tmp_path / "dangling").symlink_to("nowhere")
    with pytest.raises(InputMissing):
        take_identity(str(tmp_path / name) if name else "")


def test_what_is_no_regular_file_is_named_and_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "sock"))
        kinds = {
            str(tmp_path): "directory",
            str(tmp_path / "fifo"): "FIFO",
            str(tmp_path / "sock"): "socket",
            "/dev/null": "character device",
        }
        for path, kind in kinds.items():
            with pytest.raises(InputNotAFile) as caught:
                take_identity(path)
            assert caught.value.what == kind


def test_a_fifo_that_takes_the_name_of_a_file_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "disk"
    path.write_bytes(bytes(512))
    as_it_was = os.stat(path)
    path.unlink()
    os.mkfifo(path)
    monkeypatch.setattr("diskwright.formats.identity.os.stat", lambda _path: as_it_was)
    with pytest.raises(InputNotAFile):
        take_identity(str(path))


def test_a_refused_or_impossible_name_is_unreadable_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "loop").symlink_to("loop")
    for name in ("loop", "x" * 300, "a\0b"):
        with pytest.raises(InputUnreadable):
            take_identity(str(tmp_path / name))
    (tmp_path / "disk").write_bytes(bytes(512))

    def denied(path: str, flags: int) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("diskwright.formats.identity.os.open", denied)
    with pytest.raises(InputUnreadable) as caught:
        take_identity(str(tmp_path / "disk"))
    assert caught.value.reason == "Permission denied"


def test_no_descriptor_is_left_open_by_a_refusal(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        with pytest.raises(InputNotAFile):
            take_identity(str(tmp_path))
    assert len(os.listdir("/proc/self/fd")) == before


def test_an_untouched_file_is_known_again(tmp_path: Path) -> None:
    path = tmp_path / "disk"
    path.write_bytes(bytes(512))
    identity = take_identity(str(path))
    path.read_bytes()
    check_identity(identity)  # raises where it is another
    assert take_identity(str(path)) == identity


@pytest.mark.parametrize("change", ["longer", "touched", "replaced", "removed"])
def test_a_changed_file_is_said_to_have_changed(change: str, tmp_path: Path) -> None:
    path = tmp_path / "disk"
    path.write_bytes(bytes(512))
    identity = take_identity(str(path))
    match change:
        case "longer":
            path.write_bytes(bytes(513))
        case "touched":
            os.utime(path, ns=(identity.mtime_ns, identity.mtime_ns + 1))
        case "replaced":
            other = tmp_path / "other"
            other.write_bytes(bytes(512))
            os.utime(other, ns=(identity.mtime_ns, identity.mtime_ns))
            other.rename(path)
        case _:
            path.unlink()
    with pytest.raises(SourceChanged) as caught:
        check_identity(identity)
    assert caught.value.exit_code == 14
