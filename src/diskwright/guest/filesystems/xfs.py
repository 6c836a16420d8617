"""XFS, versions 4 and 5, read only. Its log is not replayed: that it should be is told.

Every number from the disk is checked before it is used, trees are walked with a stack and a set of
blocks seen, and each kind of work has a limit: see the `MAX_` names here, in `runs` and `xfs_map`.
"""

from __future__ import annotations

from collections.abc import Iterator

from diskwright.guest.filesystems import xfs_dir, xfs_inode, xfs_layout
from diskwright.guest.filesystems.base import Node, NodeKind, past_end
from diskwright.guest.filesystems.runs import MAX_RUNS, BlockMap, Remembered
from diskwright.guest.filesystems.xfs_inode import Format, Inode
from diskwright.guest.filesystems.xfs_log import LOG_BLOCK, unmounted_cleanly
from diskwright.guest.filesystems.xfs_map import map_inode
from diskwright.guest.reading import Unreadable, damaged
from diskwright.guest.source import ByteSource
from diskwright.model.image import Problem
from diskwright.model.units import MIB

MAX_DIRECTORY_BYTES = 64 * MIB
MAX_NAMES = 200_000  # of one directory, and of all directories that are remembered
MAX_LINK_BYTES = 1024  # XFS_SYMLINK_MAXLEN
MAX_LINK_BLOCKS = 3  # XFS_SYMLINK_MAPS: of 512 bytes, each with a header
MAX_AGS = 10_000  # whose free space is summed
CHUNK = MIB
NOT_REPLAYED = "its log was not replayed: what was changed in the last seconds may be missing"


def open_xfs(source: ByteSource) -> XfsFs | None:
    """None where there is no XFS superblock; raises `Unreadable` for one that can't be read."""
    if source.size < xfs_layout.SUPERBLOCK_SIZE:
        return None
    if source.read(0, len(xfs_layout.MAGIC)) != xfs_layout.MAGIC:
        return None
    return XfsFs(source)


class XfsFs:
    """A `GuestFs`."""

    def __init__(self, source: ByteSource) -> None:
        self._source = source
        self._maps: Remembered[BlockMap] = Remembered(MAX_RUNS)
        self._directories: Remembered[dict[bytes, int]] = Remembered(MAX_NAMES)
        self._problems: list[Problem] = []
        self._sb = xfs_layout.parse_superblock(
            source.read(0, min(xfs_layout.MAX_SECTOR, source.size))
        )
        self._problems += past_end(self._sb.size, source.size)
        self._dirty, self._note = self._log_state()

    @property
    def type(self) -> str:
        return "xfs"

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
        """Summed over the AGs: while it is mounted, the superblock's own count is stale."""
        sb = self._sb
        if not sb.lazy_counters or sb.ags > MAX_AGS:
            return sb.free_blocks * sb.block_size
        try:
            return sum(self._free_blocks(ag) for ag in range(sb.ags)) * sb.block_size
        except Unreadable:
            return None

    @property
    def dirty(self) -> bool | None:
        return self._dirty

    @property
    def note(self) -> str:
        return self._note

    @property
    def problems(self) -> tuple[Problem, ...]:
        return tuple(self._problems)

    def root(self) -> Node:
        try:
            node = self._node(self._sb.root_inode)
            if node.kind is not NodeKind.DIR:
                raise damaged("the root inode is not a directory")
        except Unreadable as error:
            if self._dirty:
                raise Unreadable(error.code, f"{error.detail}; {NOT_REPLAYED}") from error
            raise
        return node

    def names(self, node: Node) -> Iterator[bytes]:
        return iter(self._directory(_inode(node)))

    def entries(self, node: Node) -> Iterator[tuple[bytes, Node]]:
        for name, number in self._directory(_inode(node)).items():
            yield name, self._node(number)

    def child(self, node: Node, name: bytes) -> Node | None:
        names = self._directory(_inode(node))
        number = names.get(name)
        if number is None and self._sb.ignores_case:
            number = next((n for own, n in names.items() if own.lower() == name.lower()), None)
        return None if number is None else self._node(number)

    def readlink(self, node: Node) -> bytes:
        inode = _inode(node)
        if inode.kind is not NodeKind.LINK or not 0 < inode.size <= MAX_LINK_BYTES:
            raise damaged(f"link of {inode.size} bytes")
        if inode.format is Format.LOCAL:
            target = inode.fork[: inode.size]
        else:
            target = b"".join(self._link_parts(inode))[: inode.size]
        if len(target) < inode.size:
            raise damaged("a link's target ends early")
        return target

    def read(self, node: Node, offset: int, length: int) -> bytes:
        inode = _inode(node)
        if inode.kind is not NodeKind.FILE:
            raise Unreadable("not-a-file", f"is not a regular file but a {inode.kind}")
        if inode.realtime:
            raise Unreadable("unsupported", "its data is on the realtime device")
        length = min(length, inode.size - offset)
        if offset < 0 or length <= 0:
            return b""
        block_size = self._sb.block_size
        buffer = bytearray(length)
        end = offset + length
        for run in self._map(inode).within(offset // block_size, (end - 1) // block_size):
            at = max(offset, run.logical * block_size)
            stop = min(end, run.end * block_size)
            delta = (run.physical - run.logical) * block_size
            while at < stop:
                step = min(CHUNK, stop - at)
                buffer[at - offset : at - offset + step] = self._source.read(at + delta, step)
                at += step
        return bytes(buffer)

    def _log_state(self) -> tuple[bool | None, str]:
        """Whether the log should be replayed (None: that can't be told), and a note of it."""
        sb = self._sb
        if not sb.log_start:
            return None, "its log is on another device"
        try:
            start = sb.linear(sb.log_start, sb.log_blocks) * sb.block_size
            blocks = sb.log_blocks * (sb.block_size // LOG_BLOCK)
            clean = unmounted_cleanly(
                lambda block: self._source.read(start + block * LOG_BLOCK, LOG_BLOCK), blocks
            )
        except Unreadable as error:
            return None, f"its log was not read: {error.detail}"
        return (False, "") if clean else (True, NOT_REPLAYED)

    def _free_blocks(self, ag: int) -> int:
        data = self._source.read(self._sb.agf_place(ag), self._sb.sector_size)
        return xfs_layout.parse_free_blocks(data, ag, self._sb)

    def _blocks(self, fsblock: int, count: int) -> bytes:
        size = self._sb.block_size
        return self._source.read(self._sb.linear(fsblock, count) * size, count * size)

    def _node(self, number: int) -> Node:
        data = self._source.read(self._sb.inode_place(number), self._sb.inode_size)
        inode = xfs_inode.parse_inode(data, number, self._sb)
        return Node(inode.kind, inode.size, inode.mode, inode)

    def _map(self, inode: Inode) -> BlockMap:
        return self._maps.get(inode.number, lambda: map_inode(inode, self._sb, self._blocks))

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
        if inode.format is Format.LOCAL:
            if inode.size > len(inode.fork):
                raise damaged("a directory in an inode that is longer than the inode")
            yield from xfs_dir.parse_short_form(inode.fork[: inode.size], self._sb)
            return
        size = self._sb.directory_block_size
        for data in self._directory_blocks(inode):
            yield from xfs_dir.parse_block(data, inode.number, inode.size == size, self._sb)

    def _directory_blocks(self, inode: Inode) -> Iterator[bytes]:
        """Each whole; a block of several of the file system's need not be in one piece."""
        size = self._sb.block_size
        per = self._sb.directory_block_size // size
        last = xfs_dir.INDEX_OFFSET // size - 1
        runs = list(self._map(inode).within(0, last))
        if sum(run.count for run in runs) * size > MAX_DIRECTORY_BYTES:
            raise Unreadable("too-large", f"directory of {inode.size} bytes")
        pending, behind = bytearray(), 0
        for run in runs:
            for i in range(min(run.count, last + 1 - run.logical)):
                logical = run.logical + i
                if logical != behind and (pending or logical % per or not behind):
                    raise damaged("hole in a directory block")
                pending += self._source.read((run.physical + i) * size, size)
                behind = logical + 1
                if len(pending) == per * size:
                    yield bytes(pending)
                    pending.clear()
        if pending or not behind or behind * size != inode.size:
            raise damaged("a directory is not as long as it says")

    def _link_parts(self, inode: Inode) -> Iterator[bytes]:
        size = self._sb.block_size
        done = 0
        for run in self._map(inode):
            if run.logical * size > MAX_LINK_BYTES or run.count > MAX_LINK_BLOCKS:
                raise damaged("extents of a link")
            data = self._source.read(run.physical * size, run.count * size)
            if self._sb.has_checksums:
                data = xfs_dir.link_part(data, inode.number, done)
            done += len(data)
            yield data


def _inode(node: Node) -> Inode:
    assert isinstance(node.handle, Inode)
    return node.handle
