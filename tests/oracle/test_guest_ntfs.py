"""NTFS as mkntfs and ntfs-3g write it, and what its log and flags say."""

from __future__ import annotations

import contextlib
import os
import random
import re
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from diskwright.guest.filesystems.ntfs import MARKED, NOT_REPLAYED, NtfsFs, open_ntfs
from diskwright.guest.probe import probe
from diskwright.guest.tree import GuestTree
from diskwright.model.units import MIB, TIB
from support.guest_disks import run, seen_in, seen_in_folder, source_of_file

SIZE = 64 * MIB


def make(image: Path, *options: str, size: int = SIZE) -> Path:
    with image.open("wb") as file:
        file.truncate(size)
    run("mkntfs", "-Q", "-F", "-q", "-L", "Windows", *options, image)
    return image


@contextlib.contextmanager
def mounted(image: Path, *options: str) -> Iterator[Path]:
    """Through ntfs-3g, as root; skips by name where there is no FUSE."""
    if os.geteuid() != 0 or not Path("/dev/fuse").exists():
        pytest.skip("ntfs-3g needs root and /dev/fuse")
    place = image.with_suffix(".mounted")
    place.mkdir()
    argv = ["ntfs-3g", "-o", ",".join(("compression", *options)), image, place]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"ntfs-3g: {done.stderr.strip()}")
    try:
        yield place
    finally:
        run("umount", place)
        place.rmdir()


def fill(root: Path) -> None:
    noise = random.Random(4)
    (root / "Windows" / "System32" / "config").mkdir(parents=True)
    (root / "Windows" / "System32" / "config" / "SYSTEM").write_bytes(noise.randbytes(3_000_000))
    (root / "größe und 漢字").write_text("names")
    many = root / "many"
    many.mkdir()
    for i in range(700):
        (many / f"File {i:04d} with a longer name.txt").write_bytes(b"z" * i)
    deep = root.joinpath(*(f"d{i}" for i in range(30)))
    deep.mkdir(parents=True)
    (deep / "bottom").write_text("deep")
    with (root / "sparse").open("wb") as file:
        file.seek(9 << 20)
        file.write(noise.randbytes(5000))
    with (root / "one").open("wb") as one, (root / "two").open("wb") as two:
        for _ in range(60):
            for file in (one, two):
                file.write(noise.randbytes(9000))
                file.flush()
                os.fsync(file.fileno())
    (root / "short").write_bytes(b"resident")
    (root / "empty").touch()
    (root / "link").symlink_to("Windows/System32")


def opened(image: Path) -> NtfsFs:
    fs = open_ntfs(source_of_file(image))
    assert fs is not None
    return fs


@pytest.mark.parametrize("cluster", ["512", "4096", "65536"])
def test_a_whole_tree_is_read_as_it_was_written(cluster: str, tmp_path: Path) -> None:
    image = make(tmp_path / "image", "-c", cluster)
    with mounted(image) as root:
        fill(root)
        expected = seen_in_folder(root)
    fs = opened(image)
    assert seen_in(fs) == expected
    said = run("ntfsinfo", "-m", image)
    (free,) = re.findall(r"Free Clusters: (\d+)", said)
    assert (fs.label, fs.free) == ("Windows", int(free) * int(cluster))
    known = dict(
        line.split("=", 1) for line in run("blkid", "-p", "-o", "export", image).splitlines()
    )
    assert (fs.type, fs.uuid, fs.label) == (known["TYPE"], known["UUID"], known["LABEL"])
    assert SIZE - 65536 <= fs.size <= SIZE


@pytest.mark.parametrize(("size", "counted"), [(TIB, True), (2 * TIB + 64 * MIB, False)])
def test_the_free_space_of_a_large_one_is_counted(size: int, counted: bool, tmp_path: Path) -> None:
    image = make(tmp_path / "image", "-c", "4096", size=size)
    (free,) = re.findall(r"Free Clusters: (\d+)", run("ntfsinfo", "-m", image))
    assert opened(image).free == (int(free) * 4096 if counted else None)


def test_compressed_files_are_read(tmp_path: Path) -> None:
    image = make(tmp_path / "image", "-c", "4096", "-C")
    text = b"".join(b"line %d of a text that can be packed\n" % i for i in range(40_000))
    with mounted(image) as root:
        (root / "packed").write_bytes(text)
        (root / "noise").write_bytes(random.Random(5).randbytes(300_000))
        expected = seen_in_folder(root)
        assert (root / "packed").stat().st_blocks * 512 < len(text)
    assert seen_in(opened(image)) == expected


def test_names_are_found_whatever_their_case(tmp_path: Path) -> None:
    image = make(tmp_path / "image")
    with mounted(image) as root:
        fill(root)
    tree = GuestTree(opened(image))
    for path in ("/windows/system32/CONFIG/system", "/WINDOWS/System32/config/SYSTEM"):
        assert tree.size(path) == 3_000_000
    assert tree.exists("/GRÖSSE UND 漢字") is tree.exists("/größe und 漢字".upper())
    assert tree.exists("/GRÖßE UND 漢字")
    assert tree.is_dir("/link")
    assert not tree.exists("/$MFT")
    assert "$Bitmap" not in tree.names("/")


def test_a_clean_one_is_clean(tmp_path: Path) -> None:
    image = make(tmp_path / "image")
    assert (opened(image).dirty, opened(image).note) == (False, "")
    with mounted(image) as root:
        (root / "file").write_text("text")
    assert opened(image).dirty is False


def test_the_volume_flag_is_told(tmp_path: Path) -> None:
    image = make(tmp_path / "image")
    mark(image)
    fs = opened(image)
    assert (fs.dirty, fs.note) == (True, MARKED)
    found = probe(source_of_file(image), 1)
    assert found is not None
    assert found.facts.unreplayed


def mark(image: Path) -> None:
    """Set VOLUME_IS_DIRTY in $Volume's $VOLUME_INFORMATION, version 3.1."""
    data = bytearray(image.read_bytes())
    record = data.index(b"FILE", mft_of(data) + 3 * 1024)
    place = data.index(b"\x03\x01\x00\x00", record)
    assert place < record + 1024
    data[place + 2] = 1
    image.write_bytes(data)


def mft_of(data: bytes) -> int:
    sector, per_cluster = struct.unpack_from("<HB", data, 11)
    return int(struct.unpack_from("<Q", data, 0x30)[0] * sector * per_cluster)


def restart(number: int, in_use: int, flags: int) -> bytes:
    """A restart page as Windows writes it, its area at byte 48."""
    page = bytearray(4096)
    page[:4] = b"RSTR"
    struct.pack_into("<IIH", page, 16, 4096, 4096, 48)
    struct.pack_into("<QHHHH", page, 48, number, 1, 0xFFFF, in_use, flags)
    return bytes(page)


@pytest.mark.parametrize(
    ("pages", "closed"),
    [
        ((restart(5, 0, 0), restart(4, 0xFFFF, 2)), False),
        ((restart(5, 0, 0), restart(6, 0xFFFF, 0)), True),
        ((restart(5, 0, 2), restart(4, 0, 0)), True),
        ((restart(5, 0, 0), b"\xff" * 4096), False),
    ],
)
def test_a_log_that_was_not_closed_is_told(
    pages: tuple[bytes, bytes], closed: bool, tmp_path: Path
) -> None:
    image = make(tmp_path / "image")
    data = bytearray(image.read_bytes())
    place = data.index(b"\xff" * 8192)  # $LogFile, as mkntfs leaves it
    data[place : place + 8192] = b"".join(pages)
    image.write_bytes(data)
    fs = opened(image)
    assert (fs.dirty, fs.note) == (not closed, "" if closed else NOT_REPLAYED)
