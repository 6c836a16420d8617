"""Under strace, a hostile file makes the real command open nothing but itself and what every run
needs, and call nobody. The whole corpus: scripts/test-images.
"""

from __future__ import annotations

import gzip
import os
import shutil
from pathlib import Path

import pytest

from support.command import FIXTURE, Command, Ended
from support.hostile.corpus import build
from support.traced import Trace, called, trace

pytestmark = pytest.mark.skipif(
    shutil.which("strace") is None, reason="strace is not installed: scripts/setup"
)


# Each names another file, or is one that only qemu's reading finds out.
@pytest.mark.parametrize(
    ("name", "verb", "code"),
    [
        ("qcow2-backing-json.qcow2", "inspect", 10),
        ("qcow2-datafile-shadow.qcow2", "convert", 10),
        ("raw-starts-with-QFI.raw", "validate", 10),
        ("qcow2-compressed-garbage.qcow2", "convert", 10),
        ("gz-bomb.img.gz", "inspect", 10),
    ],
)
def test_a_hostile_file_makes_nothing_else_be_opened(
    name: str, verb: str, code: int, tmp_path: Path
) -> None:
    image = tmp_path / "image" / name
    image.parent.mkdir()
    image.write_bytes(build(name))
    output = tmp_path / "out" / "disk.raw" if verb == "convert" else None
    if output:
        output.parent.mkdir()
    home = tmp_path / "home"
    home.mkdir()
    traced = trace(Command(home), tmp_path, verb, image, output)
    assert traced.ended.code == code, traced.ended
    traced.assert_nothing_else()
    assert os.listdir(tmp_path / "tmp") == []


def test_a_whole_validation_of_a_real_disk_opens_nothing_else(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    traced = trace(Command(home), tmp_path, "validate", FIXTURE)
    assert traced.ended.code == 0, traced.ended
    traced.assert_nothing_else()
    ran = [os.path.basename(call.path) for call in traced.calls if call.name == "execve"]
    assert "qemu-nbd" in ran  # the trace reaches into the children


@pytest.mark.parametrize(
    ("name", "code"), [("qcow2-good.qcow2", 0), ("qcow2-backing-etc-passwd.qcow2", 10)]
)
def test_a_packed_image_makes_nothing_else_be_opened(name: str, code: int, tmp_path: Path) -> None:
    image = tmp_path / "image" / f"{name}.gz"
    image.parent.mkdir()
    image.write_bytes(gzip.compress(build(name)))
    (tmp_path / "out").mkdir()
    home = tmp_path / "home"
    home.mkdir()
    traced = trace(Command(home), tmp_path, "convert", image, tmp_path / "out" / "disk.raw")
    assert traced.ended.code == code, traced.ended
    traced.assert_nothing_else()
    assert os.listdir(tmp_path / "tmp") == []


@pytest.mark.parametrize(
    "line",
    [
        'openat(AT_FDCWD</>, "/etc/shadow", O_RDONLY) = 3</etc/shadow>',
        'openat(AT_FDCWD</>, "/etc/shadow", O_RDONLY) = -1 EACCES (Permission denied)',
        'openat(4</etc>, "hostname", O_RDONLY) = -1 ENOENT (No such file or directory)',
        'openat(AT_FDCWD</>, "disk.raw", O_RDWR|O_CLOEXEC) = 3</images/disk.raw>',
        "socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 4<TCP:[7]>",
        'connect(4<UNIX:[7]>, {sa_family=AF_UNIX, sun_path="/run/nscd"}, 110) = 0',
        'execve("/bin/sh", ["sh"], 0x7ffe /* 3 vars */) = 0',
    ],
)
def test_the_check_tells_what_is_not_allowed(line: str, tmp_path: Path) -> None:
    command = Command(tmp_path)
    fine = 'openat(AT_FDCWD</>, "/images/disk.raw", O_RDONLY) = 3</images/disk.raw>'
    calls = [called(text, tmp_path) for text in (fine, line)]
    image = Path("/images/disk.raw")
    Trace(Ended(0, "", ""), image, None, command, calls[:1]).assert_nothing_else()
    with pytest.raises(AssertionError):
        Trace(Ended(0, "", ""), image, None, command, calls).assert_nothing_else()
