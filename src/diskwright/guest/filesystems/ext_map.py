"""Where the bytes of an ext inode are: extent trees, and the older indirect blocks.

Source: the kernel's Documentation/filesystems/ext4, "The Contents of inode.i_block".

    extent tree            i_block = header + up to 4 entries; each deeper node fills a block
    indirect               i_block = 12 blocks, then one block of pointers, of pointers to such
                           blocks, and of pointers to those
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

from diskwright.guest.filesystems.ext_layout import Inode, InodeFlag
from diskwright.guest.filesystems.runs import MAX_RUNS, BlockMap, Run
from diskwright.guest.reading import Unreadable, damaged

MAX_TREE_BLOCKS = 20_000
MAX_POINTERS = 8_000_000

_EXTENT_MAGIC = 0xF30A
_MAX_DEPTH = 5  # what a tree of 2^32 blocks of 1 KiB needs
_MAX_WRITTEN = 32768  # longer lengths mean: allocated, not written yet

ReadBlock = Callable[[int], bytes]


def map_inode(inode: Inode, block_size: int, total_blocks: int, read: ReadBlock) -> BlockMap:
    """`read` gives a whole block and checks its number."""
    if inode.flags & InodeFlag.EXTENTS:
        runs = list(_extents(inode.block_field, read))
    else:
        runs = list(_joined(_pointers(inode, block_size, read)))
    return BlockMap(runs, total_blocks)


def _extents(root: bytes, read: ReadBlock) -> Iterator[Run]:
    seen: set[int] = set()
    todo: list[tuple[int | None, int | None]] = [(None, None)]  # block (None: root), its depth
    runs = 0
    while todo:
        block, expected = todo.pop()
        node = root if block is None else read(block)
        magic, count, most, depth = struct.unpack_from("<4H", node)
        if magic != _EXTENT_MAGIC or count > most or 12 + 12 * count > len(node):
            raise damaged("extent tree node")
        if depth > _MAX_DEPTH or expected not in (None, depth):
            raise damaged("extent tree depth")
        if depth:
            for _, low, high, _ in reversed(
                list(struct.iter_unpack("<IIHH", node[12:][: 12 * count]))
            ):
                child = low | high << 32
                if child in seen:
                    raise damaged("extent tree leads to one block twice")
                seen.add(child)
                todo.append((child, depth - 1))
            if len(seen) > MAX_TREE_BLOCKS:
                raise Unreadable("budget", f"extent tree of more than {MAX_TREE_BLOCKS} blocks")
            continue
        runs += count
        if runs > MAX_RUNS:
            raise Unreadable("budget", f"more than {MAX_RUNS} extents")
        for logical, length, high, low in struct.iter_unpack("<IHHI", node[12:][: 12 * count]):
            written = length <= _MAX_WRITTEN
            yield Run(
                logical, low | high << 32, length if written else length - _MAX_WRITTEN, written
            )


def _pointers(inode: Inode, block_size: int, read: ReadBlock) -> Iterator[tuple[int, int]]:
    """Logical and physical number of every block that is stored."""
    wanted = -(-inode.size // block_size)
    per = block_size // 4
    field = struct.unpack("<15I", inode.block_field)
    bases = (*range(13), 12 + per, 12 + per + per * per)
    levels = (*[0] * 12, 1, 2, 3)
    todo = [*zip(field, levels, bases, strict=True)][::-1]
    seen: set[int] = set()
    pointers = 0
    while todo:
        block, level, base = todo.pop()
        if not block or base >= wanted:
            continue
        if level == 0:
            yield base, block
            continue
        if block in seen:
            raise damaged("indirect blocks lead to one block twice")
        seen.add(block)
        pointers += per
        if len(seen) > MAX_TREE_BLOCKS or pointers > MAX_POINTERS:
            raise Unreadable("budget", "more indirect blocks than are read of one file")
        step = per ** (level - 1)
        table = struct.unpack(f"<{per}I", read(block))
        if level == 1:
            for i, leaf in enumerate(table):
                if leaf and base + i < wanted:
                    yield base + i, leaf
        else:
            todo += [(table[i], level - 1, base + i * step) for i in range(per - 1, -1, -1)]


def _joined(blocks: Iterator[tuple[int, int]]) -> Iterator[Run]:
    """Neighbours that are stored one behind the other, as one run."""
    start = physical = count = runs = 0
    for logical, block in blocks:
        if count and (logical, block) == (start + count, physical + count):
            count += 1
            continue
        if count:
            yield Run(start, physical, count)
        runs += 1
        if runs > MAX_RUNS:
            raise Unreadable("budget", f"more than {MAX_RUNS} stretches")
        start, physical, count = logical, block, 1
    if count:
        yield Run(start, physical, count)
