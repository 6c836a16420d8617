"""Where the bytes of an XFS inode are: its extents, in the inode or in a B+tree.

Source: "XFS Algorithms & Data Structures", 3rd edition, chapter "Data Extents".

    extent (16 bytes)   1 bit not written | 54 logical block | 52 fsblock | 21 count
    root in the inode   u16 level, u16 count, keys, room for more, pointers
    block of the tree   header, then extents (level 0), or keys, room for more, pointers
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

from diskwright.guest.filesystems.runs import MAX_RUNS, BlockMap, Run
from diskwright.guest.filesystems.xfs_inode import Format, Inode
from diskwright.guest.filesystems.xfs_layout import Superblock, checksum_right
from diskwright.guest.reading import Unreadable, damaged

MAX_TREE_BLOCKS = 20_000

_EXTENT = struct.Struct(">QQ")
_MAGIC = {4: b"BMAP", 5: b"BMA3"}
_HEADER = {4: 24, 5: 72}  # bytes
_CRC = 64
_MAX_LEVEL = 9  # XFS_BM_MAXLEVELS is below

ReadBlocks = Callable[[int, int], bytes]


def map_inode(inode: Inode, sb: Superblock, read: ReadBlocks) -> BlockMap:
    """In linear blocks. `read` gives `count` blocks from a fsblock on, and checks both."""
    if inode.format is Format.EXTENTS:
        if inode.extents * _EXTENT.size > len(inode.fork):
            raise damaged(f"inode {inode.number} has no room for {inode.extents} extents")
        records = [inode.fork[: inode.extents * _EXTENT.size]]
    elif inode.format is Format.BTREE:
        records = list(_leaves(inode, sb, read))
    else:
        raise damaged(f"inode {inode.number} has no extents")
    return BlockMap([run for data in records for run in _runs(data, sb)], sb.blocks)


def _runs(data: bytes, sb: Superblock) -> Iterator[Run]:
    for high, low in _EXTENT.iter_unpack(data):
        count = low & (1 << 21) - 1
        first = sb.linear((high & 0x1FF) << 43 | low >> 21, count)
        yield Run(high >> 9 & (1 << 54) - 1, first, count, written=not high >> 63)


def _leaves(inode: Inode, sb: Superblock, read: ReadBlocks) -> Iterator[bytes]:
    """The extents of each leaf, in order."""
    level, count = struct.unpack_from(">HH", inode.fork)
    if not 0 < level < _MAX_LEVEL:
        raise damaged(f"extent tree of {level} levels")
    todo = [(child, level - 1) for child in _pointers(inode.fork, 4, count)]
    seen: set[int] = set()
    extents = 0
    while todo:
        block, level = todo.pop()
        if block in seen:
            raise damaged("extent tree leads to one block twice")
        seen.add(block)
        if len(seen) > MAX_TREE_BLOCKS:
            raise Unreadable("budget", f"extent tree of more than {MAX_TREE_BLOCKS} blocks")
        data = read(block, 1)
        count = _checked(data, level, inode, sb)
        header = _HEADER[sb.version]
        if level:
            todo += [(child, level - 1) for child in _pointers(data, header, count)]
            continue
        extents += count
        if extents > MAX_RUNS:
            raise Unreadable("budget", f"more than {MAX_RUNS} extents")
        yield data[header : header + count * _EXTENT.size]


def _pointers(node: bytes, header: int, count: int) -> tuple[int, ...]:
    """Last one first, as a stack wants them. They stand behind the room for all keys."""
    room = (len(node) - header) // 16
    if not 0 < count <= room:
        raise damaged(f"{count} children in a node for {room}")
    return struct.unpack_from(f">{count}Q", node, header + room * 8)[::-1]


def _checked(data: bytes, level: int, inode: Inode, sb: Superblock) -> int:
    """The number of records in a block of the tree."""
    found, count = struct.unpack_from(">HH", data, 4)
    if data[:4] != _MAGIC[sb.version] or found != level:
        raise damaged("extent tree block")
    if count * 16 > len(data) - _HEADER[sb.version]:
        raise damaged(f"{count} records in an extent tree block")
    if sb.has_checksums:
        owner = struct.unpack_from(">Q", data, 56)[0]
        if owner != inode.number or not checksum_right(data, _CRC):
            raise damaged("checksum or owner of an extent tree block")
    return int(count)
