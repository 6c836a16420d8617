"""ext2, ext3 and ext4, read only, with the journal replayed in memory.

Every number from the disk is checked before it is used, trees are walked with a stack and a set of
blocks seen, and each kind of work has a limit: see the `MAX_` names here and in `ext_map`.
"""

from __future__ import annotations

from collections.abc import Iterator

from diskwright.guest.filesystems import ext_layout as layout
from diskwright.guest.filesystems.base import Node, NodeKind, past_end
from diskwright.guest.filesystems.ext_dir import (
    inline_data,
    parse_entries,
    parse_inline_entries,
)
from diskwright.guest.filesystems.ext_layout import Incompat, Inode, InodeFlag
from diskwright.guest.filesystems.ext_map import map_inode
from diskwright.guest.filesystems.jbd2 import replay
from diskwright.guest.filesystems.jbd2_layout import MAGIC as JOURNAL_MAGIC
from diskwright.guest.filesystems.runs import MAX_RUNS, BlockMap, Remembered
from diskwright.guest.reading import Unreadable, damaged
from diskwright.guest.source import ByteSource
from diskwright.model.image import Problem
from diskwright.model.units import MIB

MAX_DIRECTORY_BYTES = 64 * MIB
MAX_NAMES = 200_000  # of one directory, and of all directories that are remembered
MAX_LINK_BYTES = 4096
MAX_GROUPS = 200_000  # whose free space is summed: 25 TiB in blocks of 4 KiB
CHUNK = MIB


def open_ext(source: ByteSource) -> ExtFs | None:
    """None where there is no ext superblock; raises `Unreadable` for one that can't be read."""
    end = layout.SUPERBLOCK_OFFSET + layout.SUPERBLOCK_SIZE
    if source.size < end:
        return None
    data = source.read(layout.SUPERBLOCK_OFFSET, layout.SUPERBLOCK_SIZE)
    return ExtFs(source) if layout.is_ext(data) else None


class ExtFs:
    """A `GuestFs`. What a pulled plug left in the journal is part of the view, or is a problem."""

    def __init__(self, source: ByteSource) -> None:
        self._source = source
        self._overlay: dict[int, int] = {}  # block -> the block of the journal that replaces it
        self._escaped: set[int] = set()
        self._maps: Remembered[BlockMap] = Remembered(MAX_RUNS)
        self._directories: Remembered[dict[bytes, int]] = Remembered(MAX_NAMES)
        self._problems: list[Problem] = []
        self._note = ""
        self._sb = self._superblock()
        self._was_dirty = self._sb.dirty
        self._problems += past_end(self._sb.size, source.size)
        if self._sb.incompat & Incompat.RECOVER:
            self._recover()

    @property
    def type(self) -> str:
        return self._sb.type

    @property
    def uuid(self) -> str | None:
        return self._sb.uuid

    @property
    def label(self) -> str | None:
        return self._sb.label or None

    @property
    def size(self) -> int:
        return self._sb.size

    @property
    def free(self) -> int | None:
        """Summed over the groups: while it is mounted, the superblock's own count is stale."""
        if self._sb.groups > MAX_GROUPS:
            return self._sb.free_blocks * self._sb.block_size
        try:
            clusters = sum(self._descriptor(g).free_clusters for g in range(self._sb.groups))
        except Unreadable:
            return None
        return clusters * self._sb.cluster_blocks * self._sb.block_size

    @property
    def dirty(self) -> bool | None:
        return self._was_dirty

    @property
    def note(self) -> str:
        return self._note

    @property
    def problems(self) -> tuple[Problem, ...]:
        return tuple(self._problems)

    def root(self) -> Node:
        node = self._node(layout.ROOT_INODE)
        if node.kind is not NodeKind.DIR:
            raise damaged("the root inode is not a directory")
        return node

    def names(self, node: Node) -> Iterator[bytes]:
        return iter(self._directory(_inode(node)))

    def entries(self, node: Node) -> Iterator[tuple[bytes, Node]]:
        for name, number in self._directory(_inode(node)).items():
            yield name, self._node(number)

    def child(self, node: Node, name: bytes) -> Node | None:
        number = self._directory(_inode(node)).get(name)
        return None if number is None else self._node(number)

    def readlink(self, node: Node) -> bytes:
        inode = _inode(node)
        if inode.size > MAX_LINK_BYTES:
            raise damaged(f"link of {inode.size} bytes")
        mapped = inode.flags & (InodeFlag.EXTENTS | InodeFlag.INLINE_DATA)
        if inode.size < len(inode.block_field) and not mapped:  # "fast": kept in i_block
            _refuse_encrypted(inode)
            return inode.block_field[: inode.size]
        return self.read(node, 0, inode.size)

    def read(self, node: Node, offset: int, length: int) -> bytes:
        inode = _inode(node)
        _refuse_encrypted(inode)
        length = min(length, inode.size - offset)
        if offset < 0 or length <= 0:
            return b""
        if inode.flags & InodeFlag.INLINE_DATA:
            data = inline_data(inode)
            if len(data) < inode.size:
                raise damaged("inline data is shorter than its file")
            return data[offset : offset + length]
        block_size = self._sb.block_size
        buffer = bytearray(length)
        end = offset + length
        for run in self._map(inode).within(offset // block_size, (end - 1) // block_size):
            at = max(offset, run.logical * block_size)
            stop = min(end, run.end * block_size)
            delta = (run.physical - run.logical) * block_size
            while at < stop:
                step = min(CHUNK, stop - at)
                buffer[at - offset : at - offset + step] = self._bytes(at + delta, step)
                at += step
        return bytes(buffer)

    def _superblock(self) -> layout.Superblock:
        data = self._bytes(layout.SUPERBLOCK_OFFSET, layout.SUPERBLOCK_SIZE)
        sb = layout.parse_superblock(data)
        if not sb.checksum_right:
            raise damaged("ext superblock checksum")
        return sb

    def _recover(self) -> None:
        """Put the journal's whole transactions over the blocks; all of them or none."""
        try:
            if not self._sb.journal_inode:
                raise Unreadable("unsupported", "its journal is on another device")
            journal = self._map(self._inode(self._sb.journal_inode))
            found = replay(lambda n: self._block(_stored(journal, n)), self._sb.block_size)
            places = {block: _stored(journal, r.log_block) for block, r in found.blocks.items()}
            self._overlay = places
            self._escaped = {block for block, r in found.blocks.items() if r.escaped}
            self._sb = self._superblock()
        except Unreadable as error:
            self._overlay, self._escaped = {}, set()
            detail = f"{error.detail}; what is read may lack the last changes"
            self._problems.append(Problem("journal-unread", detail))
            return
        finally:
            self._maps.clear()
        if found.transactions:
            self._note = f"{found.transactions} transactions of its journal were replayed in memory"
        if found.fast_commits:
            detail = "fast commits in the journal are not replayed: the last changes are missing"
            self._problems.append(Problem("journal-fast-commits", detail))

    def _bytes(self, offset: int, length: int) -> bytes:
        """As the disk will read once the journal is replayed."""
        if not self._overlay:
            return self._source.read(offset, length)
        data = bytearray(self._source.read(offset, length))
        size = self._sb.block_size
        for block in range(offset // size, (offset + length - 1) // size + 1):
            place = self._overlay.get(block)
            if place is None:
                continue
            content = self._source.read(place * size, size)
            if block in self._escaped:
                content = JOURNAL_MAGIC + content[len(JOURNAL_MAGIC) :]
            start, end = max(offset, block * size), min(offset + length, (block + 1) * size)
            data[start - offset : end - offset] = content[start - block * size : end - block * size]
        return bytes(data)

    def _block(self, number: int) -> bytes:
        if not 0 <= number < self._sb.blocks:
            raise damaged(f"block {number} of {self._sb.blocks}")
        return self._bytes(number * self._sb.block_size, self._sb.block_size)

    def _descriptor(self, group: int) -> layout.GroupDescriptor:
        data = self._bytes(self._sb.descriptor_place(group), self._sb.descriptor_size)
        return layout.parse_descriptor(data)

    def _inode(self, number: int) -> Inode:
        if not 0 < number <= self._sb.inodes:
            raise damaged(f"inode {number} of {self._sb.inodes}")
        group, index = divmod(number - 1, self._sb.inodes_per_group)
        place = self._descriptor(group).inode_table * self._sb.block_size
        place += index * self._sb.inode_size
        return layout.parse_inode(self._bytes(place, self._sb.inode_size), number, self._sb)

    def _node(self, number: int) -> Node:
        inode = self._inode(number)
        if not inode.mode:
            raise damaged(f"inode {number} is in a directory, and not in use")
        return Node(inode.kind, inode.size, inode.mode, inode)

    def _map(self, inode: Inode) -> BlockMap:
        sb = self._sb
        return self._maps.get(
            inode.number, lambda: map_inode(inode, sb.block_size, sb.blocks, self._block)
        )

    def _directory(self, inode: Inode) -> dict[bytes, int]:
        return self._directories.get(inode.number, lambda: self._names_of(inode))

    def _names_of(self, inode: Inode) -> dict[bytes, int]:
        found = {}
        for name, number in self._parse_directory(inode):
            found[name] = number
            if len(found) > MAX_NAMES:
                raise Unreadable("too-large", f"directory of more than {MAX_NAMES} names")
        return found

    def _parse_directory(self, inode: Inode) -> Iterator[tuple[bytes, int]]:
        if inode.kind is not NodeKind.DIR:
            raise damaged("not a directory")
        _refuse_encrypted(inode)
        if inode.size > MAX_DIRECTORY_BYTES:
            raise Unreadable("too-large", f"directory of {inode.size} bytes")
        if inode.flags & InodeFlag.INLINE_DATA:
            yield from parse_inline_entries(inline_data(inode))
            return
        last = inode.size // self._sb.block_size - 1
        for run in self._map(inode).within(0, last):
            for block in range(run.physical, run.physical + min(run.count, last + 1 - run.logical)):
                yield from parse_entries(self._block(block))


def _inode(node: Node) -> Inode:
    assert isinstance(node.handle, Inode)
    return node.handle


def _stored(journal: BlockMap, number: int) -> int:
    block = journal.physical(number)
    if block is None:
        raise damaged("hole in the journal")
    return block


def _refuse_encrypted(inode: Inode) -> None:
    if inode.flags & InodeFlag.ENCRYPT:
        raise Unreadable("unsupported", "is encrypted (fscrypt)")
