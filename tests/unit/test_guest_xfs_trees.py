"""Where XFS says that the bytes of files, directories and links are, and where it lies."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest

from diskwright.guest.filesystems.xfs import XfsFs
from diskwright.guest.tree import GuestTree
from diskwright.model.units import MIB
from support.guest_disks import bounded_memory
from support.xfs_bytes import (
    BLOCK,
    BLOCKS,
    BTREE,
    DIR,
    EXTENTS,
    FILE,
    LINK,
    LOCAL,
    ROOT,
    Xfs,
    extent,
    opened,
    refusal,
    summed,
)

VERSIONS = pytest.mark.parametrize("version", [4, 5])


def with_file(disk: Xfs, fork: bytes, size: int, form: int = EXTENTS) -> GuestTree:
    disk.short_directory(ROOT, {b"file": 18})
    disk.inode(18, FILE, form, fork, size)
    return GuestTree(opened(disk))


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
