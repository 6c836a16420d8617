"""XFS structures that lie, each in one place, and what no tool here writes any more."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest

from diskwright.guest.filesystems.base import NodeKind
from diskwright.guest.filesystems.xfs import NOT_REPLAYED, XfsFs, open_xfs
from diskwright.guest.reading import Unreadable
from diskwright.guest.source import Source
from diskwright.guest.tree import GuestTree
from diskwright.model.units import MIB
from support.guest_disks import bounded_memory, source_of
from support.xfs_bytes import (
    BLOCK,
    BLOCKS,
    BTREE,
    DIR,
    EXTENTS,
    FILE,
    ID,
    LINK,
    LOCAL,
    ROOT,
    Xfs,
    extent,
    summed,
)

VERSIONS = pytest.mark.parametrize("version", [4, 5])


def opened(disk: Xfs, source: Source | None = None) -> XfsFs:
    fs = open_xfs(source or disk.source())
    assert fs is not None
    return fs


def refusal(do: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(Unreadable) as caught:
        do()
    return caught.value.code, caught.value.detail


def with_file(disk: Xfs, fork: bytes, size: int, form: int = EXTENTS) -> GuestTree:
    disk.short_directory(ROOT, {b"file": 18})
    disk.inode(18, FILE, form, fork, size)
    return GuestTree(opened(disk))


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


# --- extents ----------------------------------------------------------------------------------


@VERSIONS
def test_holes_and_what_was_not_written_are_zeros(version: int) -> None:
    disk = Xfs(version)
    for block in (70, 71, 72):
        disk.put(block, bytes([block]) * BLOCK)
    fork = extent(1, 70, 1) + extent(3, 71, 1, unwritten=True) + extent(4, 72, 1)
    tree = with_file(disk, fork, 5 * BLOCK + 100)
    zeros = bytes(BLOCK)
    wanted = zeros + b"F" * BLOCK + zeros * 2 + b"H" * BLOCK + bytes(100)
    assert tree.read_bytes("/file", MIB) == wanted


@VERSIONS
@pytest.mark.parametrize(
    "fork",
    [
        extent(0, BLOCKS, 1),
        extent(0, BLOCKS - 1, 2),
        extent(0, 1 << 51, 1),
        extent(0, 70, 0),
        extent(0, 70, 3) + extent(2, 80, 1),
        extent(4, 70, 1) + extent(0, 80, 1),
    ],
    ids=["behind the end", "over the end", "far away", "empty", "overlapping", "out of order"],
)
def test_extents_that_lie_are_damage(fork: bytes, version: int) -> None:
    tree = with_file(Xfs(version), fork, 10 * BLOCK)
    assert refusal(lambda: tree.read_bytes("/file", MIB))[0] == "damaged"


def in_tree(disk: Xfs) -> GuestTree:
    """Ninety blocks of a file, each an extent of its own, in a tree of two levels."""
    for i in range(90):
        disk.put(70 + i, bytes([i]) * BLOCK)
    owner = 18
    records = [extent(i, 70 + i, 1) for i in range(90)]
    disk.tree_block(240, owner, 0, b"".join(records[:40]), 40)
    disk.tree_block(241, owner, 0, b"".join(records[40:]), 50)
    disk.tree_block(242, owner, 1, struct.pack(">QQ", 240, 241), 2)
    return with_file(disk, disk.tree_root(2, 242), 90 * BLOCK, BTREE)


@VERSIONS
def test_extents_in_a_tree_are_read_in_order(version: int) -> None:
    wanted = b"".join(bytes([i]) * BLOCK for i in range(90))
    assert in_tree(Xfs(version)).read_bytes("/file", MIB) == wanted


def loop(disk: Xfs) -> None:
    disk.tree_block(242, 18, 1, struct.pack(">QQ", 240, 240), 2)


def wrong_level(disk: Xfs) -> None:
    disk.tree_block(240, 18, 1, struct.pack(">Q", 242), 1)


def too_many_records(disk: Xfs) -> None:
    disk.tree_block(240, 18, 0, b"", 60000)


def too_many_children(disk: Xfs) -> None:
    disk.tree_block(242, 18, 1, b"", 60000)


def no_children(disk: Xfs) -> None:
    disk.tree_block(242, 18, 1, b"", 0)


def no_block(disk: Xfs) -> None:
    disk.put(240, bytes(BLOCK))


def a_root_of_many_levels(disk: Xfs) -> None:
    disk.inode(18, FILE, BTREE, disk.tree_root(300, 242), 90 * BLOCK)


def a_root_with_many_children(disk: Xfs) -> None:
    disk.inode(18, FILE, BTREE, struct.pack(">HH", 2, 60000), 90 * BLOCK)


def no_room_for_a_root(disk: Xfs) -> None:
    disk.inode(18, FILE, BTREE, b"", 90 * BLOCK, (82, ">B", 1))


TREE_LIES = (
    loop,
    wrong_level,
    too_many_records,
    too_many_children,
    no_children,
    no_block,
    a_root_of_many_levels,
    a_root_with_many_children,
    no_room_for_a_root,
)


@VERSIONS
@pytest.mark.parametrize("lie", TREE_LIES)
def test_a_tree_of_extents_that_lies_is_damage(lie: Callable[[Xfs], None], version: int) -> None:
    disk = Xfs(version)
    in_tree(disk)
    lie(disk)
    tree = GuestTree(opened(disk))
    assert refusal(lambda: tree.read_bytes("/file", MIB))[0] == "damaged"


def test_a_tree_of_another_file_is_damage() -> None:
    disk = Xfs()
    in_tree(disk)
    disk.tree_block(240, 20, 0, extent(0, 70, 1), 1)
    tree = GuestTree(opened(disk))
    assert "owner" in refusal(lambda: tree.read_bytes("/file", MIB))[1]


def test_a_file_that_claims_exabytes_is_refused_unread() -> None:
    with bounded_memory(8 * MIB):
        tree = with_file(Xfs(), extent(0, 70, 1), 1 << 62)
        assert refusal(lambda: tree.read_bytes("/file", MIB))[0] == "too-large"


# --- directories ------------------------------------------------------------------------------


def in_block(disk: Xfs, *entries: tuple[bytes, int], magic: bytes = b"", behind: int = 0) -> XfsFs:
    """The root directory in block 70."""
    offset = 64 if disk.version == 5 else 16
    whole = b""
    for name, inode in entries:
        whole += disk.entry(name, inode, offset + len(whole))
    disk.directory_block(70, ROOT, whole, magic)
    if behind:
        disk.put(70, disk.data[70 * BLOCK : 71 * BLOCK - 8] + struct.pack(">II", behind, 0))
    disk.inode(ROOT, DIR, EXTENTS, extent(0, 70, 1), BLOCK)
    return opened(disk)


@VERSIONS
def test_names_in_a_block_are_read(version: int) -> None:
    disk = Xfs(version)
    fs = in_block(disk, (b".", ROOT), (b"..", ROOT), (b"one", 18), (b"n" * 255, 20))
    assert list(fs.names(fs.root())) == [b"one", b"n" * 255]


@VERSIONS
@pytest.mark.parametrize("name", [b"", b"a/b", b"a\0b"])
def test_a_name_that_is_none_is_damage(name: bytes, version: int) -> None:
    fs = in_block(Xfs(version), (name, 18))
    assert refusal(lambda: list(fs.names(fs.root())))[0] == "damaged"


@VERSIONS
@pytest.mark.parametrize(
    "entry",
    [
        b"\xff\xff\0\0",
        b"\xff\xff\0\7",
        b"\xff\xff\xff\xf8",
        struct.pack(">QB", 18, 5) + b"hello\1" + b"\0" * 7 + b"\0\1",
    ],
    ids=["no length", "odd length", "over the end", "another place"],
)
def test_an_entry_that_lies_is_damage(entry: bytes, version: int) -> None:
    disk = Xfs(version)
    disk.directory_block(70, ROOT, entry.ljust(24, b"\0"))
    disk.inode(ROOT, DIR, EXTENTS, extent(0, 70, 1), BLOCK)
    fs = opened(disk)
    assert refusal(lambda: list(fs.names(fs.root())))[0] == "damaged"


def test_an_index_larger_than_its_block_is_damage() -> None:
    fs = in_block(Xfs(4), (b"one", 18), magic=b"XD2B", behind=1 << 30)
    assert refusal(lambda: list(fs.names(fs.root())))[0] == "damaged"


@VERSIONS
@pytest.mark.parametrize(
    ("fork", "size"),
    [
        (b"", 0),
        (b"", BLOCK),
        (extent(1, 70, 1), 2 * BLOCK),
        (extent(0, 70, 1, unwritten=True), BLOCK),
        (extent(0, 70, 1), 2 * BLOCK),
        (extent(0, 70, 2), 2 * BLOCK),
    ],
    ids=["nothing", "no extent", "no first block", "unwritten", "too short", "no second block"],
)
def test_a_directory_without_its_blocks_is_damage_and_not_empty(
    fork: bytes, size: int, version: int
) -> None:
    disk = Xfs(version)
    disk.directory_block(70, ROOT, b"")
    disk.inode(ROOT, DIR, EXTENTS, fork, size)
    fs = opened(disk)
    assert refusal(lambda: list(fs.names(fs.root())))[0] == "damaged"


@VERSIONS
@pytest.mark.parametrize(
    "fork",
    [b"", b"\1\0", b"\xff\0\0\0\0\x10" + b"\1\0\x60x\1\0\0\0\x12", b"\1\0\0\0\0\x10\xff\0\x60x"],
    ids=["nothing", "no parent", "many names", "long name"],
)
def test_a_directory_in_its_inode_that_lies_is_damage(fork: bytes, version: int) -> None:
    disk = Xfs(version)
    disk.inode(ROOT, DIR, LOCAL, fork, len(fork))
    fs = opened(disk)
    assert refusal(lambda: list(fs.names(fs.root())))[0] == "damaged"
    disk.inode(ROOT, DIR, LOCAL, fork, 400)
    fs = opened(disk)
    assert refusal(lambda: list(fs.names(fs.root())))[0] == "damaged"


def test_a_directory_of_gigabytes_is_refused_before_it_is_read() -> None:
    disk = Xfs()
    disk.superblock((8, ">Q", 1 << 20), (84, ">I", 1 << 20), (124, ">B", 20))
    disk.inode(ROOT, DIR, EXTENTS, extent(0, 1, (1 << 20) - 1), BLOCK << 20)
    fs = opened(disk)
    assert refusal(lambda: list(fs.names(fs.root())))[0] == "too-large"


def test_a_directory_that_holds_itself_is_as_deep_as_one_asks() -> None:
    disk = Xfs()
    disk.short_directory(ROOT, {b"again": ROOT})
    assert GuestTree(opened(disk)).is_dir("/again" * 100)


# --- links ------------------------------------------------------------------------------------


def linked(disk: Xfs, fork: bytes, size: int, form: int = EXTENTS) -> Callable[[], bytes]:
    disk.short_directory(ROOT, {b"link": 18})
    disk.inode(18, LINK, form, fork, size)
    fs = opened(disk)
    node = fs.child(fs.root(), b"link")
    assert node is not None
    return lambda: fs.readlink(node)


def part(target: bytes, offset: int = 0, owner: int = 18) -> bytes:
    """A block of a link in version 5."""
    raw = struct.pack(">4sII", b"XSLM", offset, len(target)).ljust(32, b"\0")
    return summed((raw + struct.pack(">Q", owner)).ljust(56, b"\0") + target.ljust(968, b"\0"), 12)


def test_a_link_in_two_pieces_is_read_whole() -> None:
    disk = Xfs()
    disk.put(70, part(b"a" * 968))
    disk.put(80, part(b"b" * 32, 968))
    read = linked(disk, extent(0, 70, 1) + extent(1, 80, 1), 1000)
    assert read() == b"a" * 968 + b"b" * 32


@pytest.mark.parametrize(
    "block",
    [
        bytes(BLOCK),
        part(b"a" * 500, owner=20),
        part(b"a" * 500, 3),
        part(b"a" * 100),
        summed(part(b"")[:8] + b"\xff" * 4 + part(b"")[12:], 12),
        part(b"a" * 500)[:-1] + b"!",
    ],
    ids=["nothing", "another's", "another part", "short", "long", "checksum"],
)
def test_a_link_that_lies_is_damage(block: bytes) -> None:
    disk = Xfs()
    disk.put(70, block)
    assert refusal(linked(disk, extent(0, 70, 1), 500))[0] == "damaged"


@VERSIONS
@pytest.mark.parametrize(
    ("form", "fork", "size"),
    [
        (LOCAL, b"", 0),
        (LOCAL, b"t" * 300, 1000),
        (EXTENTS, b"", 500),
        (EXTENTS, extent(0, 70, 1), MIB),
        (EXTENTS, extent(0, 70, 100), 1000),
        (EXTENTS, extent(5, 70, 1), 1000),
    ],
)
def test_a_link_without_its_target_is_damage(
    form: int, fork: bytes, size: int, version: int
) -> None:
    assert refusal(linked(Xfs(version), fork, size, form))[0] == "damaged"
