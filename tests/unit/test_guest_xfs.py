"""XFS structures that lie, each in one place, and what no tool here writes any more."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest

from diskwright.guest.filesystems.base import NodeKind
from diskwright.guest.filesystems.xfs import NOT_REPLAYED, open_xfs
from diskwright.guest.tree import GuestTree
from support.guest_disks import source_of
from support.xfs_bytes import (
    BLOCK,
    BLOCKS,
    DIR,
    EXTENTS,
    FILE,
    ID,
    LOCAL,
    ROOT,
    Xfs,
    extent,
    opened,
    refusal,
    summed,
)

VERSIONS = pytest.mark.parametrize("version", [4, 5])


# --- the superblock ---------------------------------------------------------------------------


@VERSIONS
def test_what_the_superblock_says(version: int) -> None:
    fs = opened(Xfs(version))
    assert (fs.uuid, fs.label, fs.size) == (str(ID), "root", BLOCKS * BLOCK)
    assert (fs.dirty, fs.note, fs.problems) == (False, "", ())
    assert list(fs.names(fs.root())) == []


def test_what_is_not_xfs_is_left_to_others() -> None:
    assert open_xfs(source_of(bytes(4096))) is None
    assert open_xfs(source_of(b"XFSB")) is None


LIES = {
    "block size": (4, ">I", 1000),
    "block size and its logarithm": (120, ">B", 11),
    "blocks of 2^255": (120, ">B", 255),
    "directory blocks": (192, ">B", 7),
    "sector size": (102, ">H", 0),
    "odd sectors": (102, ">H", 513),
    "inode size": (104, ">H", 0),
    "inodes of 2^200": (122, ">B", 200),
    "inodes in a block": (123, ">B", 2),
    "number of inodes in a block": (106, ">H", 3),
    "blocks in an AG": (84, ">I", 0),
    "bits of a block number": (124, ">B", 9),
    "many bits of a block number": (124, ">B", 255),
    "no AG": (88, ">I", 0),
    "many AGs": (88, ">I", 0xFFFFFFFF),
    "no blocks": (8, ">Q", 0),
    "more blocks than the AGs have": (8, ">Q", 1 << 60),
    "not finished": (126, ">B", 1),
}


@VERSIONS
@pytest.mark.parametrize("lie", LIES)
def test_a_superblock_that_lies_is_damage(lie: str, version: int) -> None:
    disk = Xfs(version)
    disk.superblock(LIES[lie])
    assert refusal(disk_opener(disk))[0] == "damaged"


def disk_opener(disk: Xfs) -> Callable[[], object]:
    return lambda: open_xfs(disk.source())


def test_a_superblock_whose_checksum_is_wrong_is_damage() -> None:
    disk = Xfs()
    disk.data[110] ^= 1
    assert refusal(disk_opener(disk)) == ("damaged", "xfs superblock checksum")


@pytest.mark.parametrize(
    ("bits", "code", "words"),
    [
        (0x13, "damaged", "xfs_repair"),
        (0x203, "unsupported", "xfs features zoned"),
        (0x601, "unsupported", "xfs features zoned, zone_gaps"),
        (0x80000201, "unsupported", "xfs features zoned, 0x80000000"),
    ],
)
def test_features_that_are_not_read_are_refused_by_name(bits: int, code: str, words: str) -> None:
    disk = Xfs()
    disk.superblock((216, ">I", bits))
    found, detail = refusal(disk_opener(disk))
    assert found == code
    assert words in detail


def test_all_other_features_are_read() -> None:
    disk = Xfs()
    disk.superblock((216, ">I", 0x1EB))
    assert opened(disk).root().kind is NodeKind.DIR


def test_versions_and_directories_that_are_not_read_are_unsupported() -> None:
    disk = Xfs(4)
    disk.superblock((100, ">H", 0xB083))
    assert refusal(disk_opener(disk)) == ("unsupported", "xfs version 3")
    disk.superblock((100, ">H", 0x9084))
    assert refusal(disk_opener(disk)) == ("unsupported", "xfs directories of version 1")


@VERSIONS
def test_one_cut_short_says_so_and_is_read_as_far_as_it_goes(version: int) -> None:
    disk = Xfs(version)
    disk.short_directory(ROOT, {b"name": 18})
    fs = opened(disk, source_of(bytes(disk.data[: 20 * BLOCK])))
    assert [p.code for p in fs.problems] == ["filesystem-past-end"]
    assert list(fs.names(fs.root())) == [b"name"]
    assert fs.dirty is None
    assert "log was not read" in fs.note


def test_free_space_that_can_not_be_summed_is_not_known() -> None:
    assert opened(Xfs()).free is None  # it has no AGF
    disk = Xfs(4)
    disk.superblock((200, ">I", 0x208))  # counters that are always right
    assert opened(disk).free == 100 * BLOCK


def test_free_space_is_that_of_the_groups() -> None:
    for version in (4, 5):
        disk = Xfs(version)
        raw = struct.pack(">4sIII", b"XAGF", 1, 0, BLOCKS).ljust(48, b"\0")
        raw = (raw + struct.pack(">4I", 4, 50, 50, 2)).ljust(512, b"\0")
        disk.data[512:1024] = summed(raw, 216) if version == 5 else raw
        assert opened(disk).free == 56 * BLOCK
        disk.data[512 + 55] ^= 1
        assert (opened(disk).free is None) == (version == 5)


# --- the log ----------------------------------------------------------------------------------


@VERSIONS
@pytest.mark.parametrize(
    ("records", "behind", "dirty"),
    [
        ([], 0, False),  # never written to
        ([(1, True)], 0, False),
        ([(1, False)], 0, True),
        ([(1, True), (1, False)], 0, True),
        ([(1, False), (1, True)], 0, False),
        ([(7, False)] * 3 + [(7, True)], 6, False),  # over the last cycle
        ([(7, False)] * 4, 6, True),
        ([(7, False)] * 31 + [(7, True)], 6, False),  # to the very end
        ([(7, False)] * 32, 6, True),
        ([(8, True)] + [(7, False)] * 31, 7, False),
        ([(8, False)] + [(7, True)] * 31, 7, True),
    ],
)
def test_a_log_is_clean_where_its_last_record_is_of_an_unmount(
    records: list[tuple[int, bool]], behind: int, dirty: bool, version: int
) -> None:
    disk = Xfs(version)
    disk.log(records, written=behind)
    fs = opened(disk)
    assert (fs.dirty, fs.note) == (dirty, NOT_REPLAYED if dirty else "")


def test_an_unmount_that_is_not_the_whole_of_the_last_record_is_none() -> None:
    disk = Xfs()
    disk.data[200 * BLOCK + 40 : 200 * BLOCK + 44] = struct.pack(">I", 2)
    assert opened(disk).dirty is True


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ((48, ">Q", 0), "another device"),
        ((48, ">Q", 250), "not in the file system"),
        ((96, ">I", 0), "without blocks"),
        ((48, ">Q", 1 << 50), "not in the file system"),
    ],
)
def test_a_log_that_is_not_there_is_not_known_to_be_clean(
    change: tuple[int, str, int], words: str
) -> None:
    disk = Xfs()
    disk.superblock(change)
    fs = opened(disk)
    assert fs.dirty is None
    assert words in fs.note


def test_a_log_without_records_or_with_endless_ones_is_not_known_to_be_clean() -> None:
    disk = Xfs()
    disk.put(200, struct.pack(">I", 5).ljust(512, b"\0") * 64)
    assert opened(disk).dirty is None
    disk.log([(1, True)])
    disk.data[200 * BLOCK + 320 : 200 * BLOCK + 324] = b"\xff" * 4
    assert opened(disk).dirty is None


def test_a_root_that_can_not_be_read_before_its_log_is_replayed_says_so() -> None:
    disk = Xfs()
    disk.log([(1, False)])
    disk.put(ROOT // 2, bytes(BLOCK))
    code, detail = refusal(opened(disk).root)
    assert code == "damaged"
    assert NOT_REPLAYED in detail


# --- inodes -----------------------------------------------------------------------------------


INODE_LIES = {
    "magic": (0, ">H", 0),
    "version": (4, ">B", 1),
    "version 200": (4, ">B", 200),
    "format": (5, ">B", 9),
    "size": (56, ">Q", 1 << 63),
    "mode": (2, ">H", 0),
    "attributes": (82, ">B", 255),
    "another number": (152, ">Q", 99),
    "another file system": (160, ">Q", 99),
}


@pytest.mark.parametrize("lie", INODE_LIES)
def test_an_inode_that_lies_is_damage(lie: str) -> None:
    disk = Xfs()
    disk.inode(ROOT, DIR, LOCAL, bytes(6), 6, INODE_LIES[lie])
    assert refusal(opened(disk).root)[0] == "damaged"


def test_an_inode_whose_checksum_is_wrong_is_damage() -> None:
    disk = Xfs()
    disk.data[ROOT * 512 + 300] ^= 1
    assert "checksum" in refusal(opened(disk).root)[1]


@VERSIONS
def test_a_root_that_is_no_directory_is_damage(version: int) -> None:
    disk = Xfs(version)
    disk.inode(ROOT, FILE, EXTENTS, b"", 0)
    assert refusal(opened(disk).root)[0] == "damaged"


@VERSIONS
@pytest.mark.parametrize("number", [1, 600, (1 << 64) - 1])
def test_a_name_that_leads_to_no_inode_is_damage(number: int, version: int) -> None:
    disk = Xfs(version)
    fork = struct.pack(">BBQ", 1, 1, ROOT) + b"\1\0\x60x\1" + struct.pack(">Q", number)
    disk.inode(ROOT, DIR, LOCAL, fork, len(fork))
    fs = opened(disk)
    assert list(fs.names(fs.root())) == [b"x"]
    assert refusal(lambda: list(fs.entries(fs.root())))[0] == "damaged"


def test_64_bit_counts_of_extents_are_read() -> None:
    disk = Xfs()
    disk.short_directory(ROOT, {b"file": 18})
    disk.put(70, b"a" * BLOCK)
    disk.inode(
        18, FILE, EXTENTS, extent(0, 70, 1), BLOCK, (120, ">Q", 0x18), (76, ">I", 0), (24, ">Q", 1)
    )
    assert GuestTree(opened(disk)).read_bytes("/file", BLOCK) == b"a" * BLOCK
    disk.inode(18, FILE, EXTENTS, b"", BLOCK, (120, ">Q", 0x18), (24, ">Q", 1 << 60))
    tree = GuestTree(opened(disk))
    assert refusal(lambda: tree.read_bytes("/file", BLOCK))[0] == "damaged"


def test_a_file_on_the_realtime_device_is_unsupported() -> None:
    disk = Xfs()
    disk.short_directory(ROOT, {b"file": 18})
    disk.inode(18, FILE, EXTENTS, extent(0, 70, 1), BLOCK, (90, ">H", 1))
    tree = GuestTree(opened(disk))
    assert refusal(lambda: tree.read_bytes("/file", BLOCK))[0] == "unsupported"
