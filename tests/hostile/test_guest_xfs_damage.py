"""Damaged XFS metadata: an end with `Unreadable` or a reading, in bounded time and memory."""

from __future__ import annotations

import random
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from diskwright.blockio.memory import MemoryReader
from diskwright.guest.filesystems.xfs import open_xfs
from diskwright.guest.reading import Unreadable
from diskwright.guest.source import Source
from diskwright.model.units import MIB
from support.guest_disks import bounded_memory, run, seen_in
from support.xfs_bytes import BLOCK, BTREE, DIR, EXTENTS, FILE, LINK, ROOT, Xfs, extent, summed
from support.xfs_maker import prototype

MOST_READS = 20_000
SMALL = ("--unsupported", "-d", "agcount=1")
KINDS = {
    "version 5": (),
    "version 4": ("-m", "crc=0"),
    "version 4, blocks of 512": ("-m", "crc=0", "-b", "size=512", "-n", "size=8192"),
}


class Watched(Source):
    """Remembers which sectors were asked for, and lets no walk go on without end."""

    def __init__(self, data: bytes) -> None:
        super().__init__(MemoryReader(len(data), {0: data}), budget_calls=MOST_READS)
        self.sectors: set[int] = set()

    def read(self, offset: int, length: int) -> bytes:
        self.sectors.update(range(offset // 512, (offset + length - 1) // 512 + 1))
        return super().read(offset, length)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("damage") / "tree"
    (root / "a" / "b" / "c").mkdir(parents=True)
    for i in range(100):
        (root / "a" / f"file-{i:03d}-with-a-longer-name").write_bytes(b"x" * i * 5)
    for length in (10, 70, 700):
        (root / "a" / "b" / f"link-{length}").symlink_to("t" * length)
    return root


def end_of(data: bytes) -> str:
    """How reading all that there is ends: `read`, or the code of what can't be read."""
    try:
        fs = open_xfs(Watched(data))
        if fs is not None:
            seen_in(fs, most_bytes=MIB)
            assert fs.free is None or fs.free >= 0
    except Unreadable as error:
        return error.code
    return "read"


@pytest.mark.parametrize("flips", [1, 10, 100])
@pytest.mark.parametrize("kind", KINDS)
def test_flipped_bits_end_in_unreadable_or_in_a_reading(
    kind: str, flips: int, tree: Path, tmp_path: Path
) -> None:
    path = tmp_path / "image"
    if kind == "version 5":
        wrong = shutil.ignore_patterns("link-700")  # as mkfs.xfs 6.1 stores it
        tree = shutil.copytree(tree, tmp_path / "tree", symlinks=True, ignore=wrong)
    path.write_bytes(bytes(24 * MIB))
    run("mkfs.xfs", "-q", *SMALL, *KINDS[kind], *prototype(tree, path), path)
    good = path.read_bytes()
    watched = Watched(good)
    whole = open_xfs(watched)
    assert whole is not None
    seen_in(whole, most_bytes=0)  # so of files, only what says where they are
    used = sorted(s for s in watched.sectors if s >= 64)  # not all that is read for its sector size
    used += [0, 1]
    noise = random.Random(f"{kind} {flips}")
    ends: set[str] = set()
    for _ in range(60):
        data = bytearray(good)
        for _ in range(flips):
            data[noise.choice(used) * 512 + noise.randrange(512)] ^= 1 << noise.randrange(8)
        ends.add(end_of(bytes(data)))
    assert "budget" not in ends
    assert "damaged" in ends


# What `everything` holds that says where something is: its place, its length, its checksum's place
STRUCTURES = {
    "superblock": (0, 512, 224),
    "header of the group": (512, 512, 216),
    "root": (ROOT * 512, 512, 100),
    "directory": (18 * 512, 512, 100),
    "file": (20 * 512, 512, 100),
    "file in a tree": (22 * 512, 512, 100),
    "link": (24 * 512, 512, 100),
    "block of the directory": (70 * BLOCK, BLOCK, 4),
    "second block of the directory": (71 * BLOCK, BLOCK, 4),
    "node": (74 * BLOCK, BLOCK, 64),
    "leaf": (72 * BLOCK, BLOCK, 64),
    "second leaf": (73 * BLOCK, BLOCK, 64),
    "target": (75 * BLOCK, BLOCK, 12),
    "log": (200 * BLOCK, 512, 32),
}


def everything(version: int) -> Xfs:
    """One of each, so that all checks behind the checksums are met."""
    disk = Xfs(version)
    disk.short_directory(ROOT, {b"dir": 18, b"file": 20, b"tree": 22, b"link": 24})
    start = 64 if version == 5 else 16
    for block, name in ((70, b"one"), (71, b"two")):
        disk.directory_block(block, 18, disk.entry(name, 20, start))
    disk.inode(18, DIR, EXTENTS, extent(0, 70, 2), 2 * BLOCK)
    disk.inode(20, FILE, EXTENTS, extent(0, 100, 2) + extent(7, 102, 1), 8 * BLOCK)
    records = [extent(i, 100 + i, 1) for i in range(60)]
    disk.tree_block(72, 22, 0, b"".join(records[:30]), 30)
    disk.tree_block(73, 22, 0, b"".join(records[30:]), 30)
    disk.tree_block(74, 22, 1, struct.pack(">QQ", 72, 73), 2)
    disk.inode(22, FILE, BTREE, disk.tree_root(2, 74), 60 * BLOCK)
    target = struct.pack(">4sII", b"XSLM", 0, 900).ljust(32, b"\0") + struct.pack(">Q", 24)
    target = summed(target.ljust(56, b"\0") + b"t" * 968, 12) if version == 5 else b"t" * BLOCK
    disk.put(75, target)
    disk.inode(24, LINK, EXTENTS, extent(0, 75, 1), 900)
    header = struct.pack(">4sIII", b"XAGF", 1, 0, 256).ljust(48, b"\0")
    header += struct.pack(">4I", 4, 50, 50, 2)
    disk.data[512:1024] = summed(header.ljust(512, b"\0"), 216)
    return disk


@pytest.mark.parametrize("version", [4, 5])
@pytest.mark.parametrize("what", STRUCTURES)
def test_lies_under_a_right_checksum_end_in_unreadable_or_in_a_reading(
    what: str, version: int
) -> None:
    good = bytes(everything(version).data)
    assert end_of(good) == "read"
    at, length, checksum = STRUCTURES[what]
    noise = random.Random(f"{what} {version}")
    ends: set[str] = set()
    for _ in range(60):
        lie = bytearray(good[at : at + length])
        for _ in range(noise.choice((1, 1, 2, 8))):
            place = noise.randrange(min(length, 200))
            lie[place] = noise.choice((0, 1, 0x7F, 0x80, 0xFF, noise.randrange(256)))
        whole = summed(bytes(lie), checksum) if version == 5 else bytes(lie)
        ends.add(end_of(good[:at] + whole + good[at + length :]))
    assert "budget" not in ends
    assert ends - {"read", "damaged", "unsupported", "too-large"} == set()


def wide(disk: Xfs) -> None:
    """A tree whose every node leads to the same one: 60 to the fourth blocks to walk."""
    blocks = (230, 231, 232, 233)
    for level, block in enumerate(blocks):
        if level:
            disk.tree_block(block, 22, level, struct.pack(">Q", blocks[level - 1]) * 59, 59)
    disk.tree_block(blocks[0], 22, 0, extent(0, 100, 1), 1)
    disk.inode(22, FILE, BTREE, disk.tree_root(4, blocks[3]), 60 * BLOCK)


def itself(disk: Xfs) -> None:
    disk.tree_block(74, 22, 1, struct.pack(">QQ", 74, 74), 2)


@pytest.mark.parametrize("version", [4, 5])
@pytest.mark.parametrize("lie", [wide, itself])
def test_a_tree_that_leads_everywhere_to_one_block_is_damage(
    lie: Callable[[Xfs], None], version: int
) -> None:
    disk = everything(version)
    lie(disk)
    with bounded_memory(16 * MIB):
        assert end_of(bytes(disk.data)) == "damaged"


@pytest.mark.parametrize("version", [4, 5])
def test_one_cut_off_anywhere_is_survived(version: int) -> None:
    good = bytes(everything(version).data)
    for length in (1, 511, 512, 513, 1024, 8192, 9000, 40_000, 72_000, 105_000, len(good) - 1):
        fs = open_xfs(Watched(good[:length]))
        if fs is not None:
            assert [p.code for p in fs.problems] == ["filesystem-past-end"]
        assert end_of(good[:length]) in ("read", "damaged")
