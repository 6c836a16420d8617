"""btrfs through fs_explorer's driver, one subvolume of it at a time.

On-disk format: https://btrfs.readthedocs.io/en/latest/dev/On-disk-format.html. The driver begins
at the default subvolume; the others are told from the root tree here. Blocks of trees are checked
by their checksums, where those are CRC-32C, SHA-256 or BLAKE2; data is not.
"""

from __future__ import annotations

import struct
import uuid
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from diskwright.formats.packed.codecs import CodecError, CodecUnsupported, decompress
from diskwright.formats.packed.feed import Feed
from diskwright.guest.filesystems import explored
from diskwright.guest.filesystems.base import Node, past_end
from diskwright.guest.filesystems.explored import translated
from diskwright.guest.reading import Unreadable, damaged
from diskwright.guest.source import ByteSource
from diskwright.model.image import Problem
from diskwright.model.units import KIB, MIB
from diskwright.model.volumes import TOP_SUBVOLUME, Subvolume

if TYPE_CHECKING:
    from fs_explorer.filesystems.btrfs import fs as fse_btrfs
    from fs_explorer.tree import Node as InnerNode

MAX_SUBVOLUMES = 1000
MAX_ROOT_ITEMS = 200_000
MAX_DEPTH = 64  # of folders above a subvolume, and of subvolumes in each other
NOT_REPLAYED = "its log tree is not replayed: the last seconds before the copy may be missing"

_SUPERBLOCK, _MAGIC = 64 * KIB, b"_BHRfS_M"
_CACHE_BYTES = 8 * MIB  # of tree blocks and inodes
_FIRST, _LAST = 256, (1 << 64) - 256  # object ids of subvolumes
_ROOT_ITEM, _ROOT_BACKREF, _ROOT_REF = 132, 144, 156
_EMPTY = 2  # inode of the folder that stands for a subvolume that is not there
_INODE_REF = 12
_READ_ONLY = 1  # flag of a root item
_ZSTD = 3


def open_btrfs(source: ByteSource) -> BtrfsFs | None:
    """At its default subvolume. None where there is no btrfs."""
    if source.size < _SUPERBLOCK + 4 * KIB:
        return None
    if source.read(_SUPERBLOCK + 64, len(_MAGIC)) != _MAGIC:
        return None
    with translated("btrfs"):
        return BtrfsFs(source, _tree(source))


def _tree(source: ByteSource) -> fse_btrfs.BtrfsFS:
    """The driver, with a zstd decoder that is not written in Python."""
    from fs_explorer.filesystems.btrfs import fs

    class Tree(fs.BtrfsFS):
        def decompress(self, comp: int, raw: bytes, ram_bytes: int) -> bytes:
            if comp == _ZSTD and ram_bytes <= fs.MAX_COMPRESSED_EXTENT:
                return _unpack_zstd(raw, ram_bytes)
            unpacked: bytes = super().decompress(comp, raw, ram_bytes)
            return unpacked

        def _entry_node(
            self, tree_id: int, name: bytes, loc: tuple[int, int, int], ftype: int
        ) -> InnerNode:
            """A snapshot holds names of subvolumes that are in the original only: they are empty
            (Linux, fs/btrfs/inode.c, fixup_tree_root_location)."""
            node = super()._entry_node(tree_id, name, loc, ftype)
            if loc[1] == _ROOT_ITEM and not self.trees.get(
                self.sb.root, (tree_id, _ROOT_REF, loc[0])
            ):
                node.ref = (tree_id, _EMPTY)
            return node

    context = explored.context(_CACHE_BYTES, btrfs_verify_csum=True)
    return Tree(explored.access(source), context)


def _unpack_zstd(raw: bytes, length: int) -> bytes:
    """The first `length` bytes of what one extent holds; zeros where it holds fewer."""
    parts: list[bytes] = []
    room = length
    try:
        for part in decompress("zstd", Feed(iter((raw,)))):
            parts.append(part[:room])
            room -= len(parts[-1])
            if not room:
                break
    except (CodecError, CodecUnsupported) as error:
        raise damaged(f"btrfs: zstd: {error}") from error
    return b"".join(parts) + bytes(room)


class BtrfsFs(explored.Explored):
    """A `GuestFs` of one subvolume: what is mounted in its folders is seen as in the whole."""

    spelling = "surrogateescape"

    def __init__(
        self, source: ByteSource, tree: fse_btrfs.BtrfsFS, subvolume: int | None = None
    ) -> None:
        super().__init__(tree, "btrfs")
        self._source = source
        self._fs = tree
        self._super = tree.sb
        self.subvolume: int = tree.default_subvol if subvolume is None else subvolume
        self._listed: tuple[Subvolume, ...] | None = None

    @property
    def type(self) -> str:
        return "btrfs"

    @property
    def uuid(self) -> str | None:
        return str(uuid.UUID(bytes=self._super.fsid))

    @property
    def label(self) -> str | None:
        return self._super.label or None

    @property
    def size(self) -> int:
        return int(self._super.total_bytes)

    @property
    def free(self) -> int | None:
        """What no block group holds and what is unused in them: more than statfs(2) promises."""
        return max(0, int(self._super.total_bytes - self._super.bytes_used))

    @property
    def dirty(self) -> bool | None:
        return self._super.log_root != 0

    @property
    def note(self) -> str:
        return NOT_REPLAYED if self.dirty else ""

    @property
    def problems(self) -> tuple[Problem, ...]:
        found: list[Problem] = []
        devices = self._super.num_devices
        if devices != 1:
            found.append(Problem("filesystem-incomplete", f"it lies on {devices} devices"))
        else:
            found += past_end(self.size, self._source.size)
        if self._super.csum_ok is None:
            detail = "its checksums are of a kind that is not checked"
            found.append(Problem("checksums-unchecked", detail))
        return tuple(found)

    @property
    def default_subvolume(self) -> int:
        return int(self._fs.default_subvol)

    def subvolumes(self) -> tuple[Subvolume, ...]:
        """All of them but the top one, by path. Raises `Unreadable`."""
        if self._listed is None:
            with translated("btrfs"):
                places = dict(islice(self._places(), MAX_SUBVOLUMES + 1))
                if len(places) > MAX_SUBVOLUMES:
                    raise Unreadable("too-large", f"btrfs: more than {MAX_SUBVOLUMES} subvolumes")
                found = (Subvolume(n, self._path(n, places), self._is_fixed(n)) for n in places)
                self._listed = tuple(sorted(found, key=lambda one: one.path))
        return self._listed

    def find(self, path: str) -> int | None:
        """The number of the subvolume at a path from the top; None where there is none."""
        node: Node | None = self.at(TOP_SUBVOLUME).root()
        for name in filter(None, path.split("/")):
            node = self.child(node, name.encode("utf-8", "surrogateescape")) if node else None
        if node is None:
            return None
        with translated("btrfs"):
            tree, inode = self._inner(node).ref
            return int(tree) if inode == self._fs.subvol_root(tree)[1] else None

    def at(self, number: int) -> BtrfsFs:
        """The same, seen from another subvolume. Raises `Unreadable` where there is none."""
        with translated("btrfs"):
            self._fs.subvol_root(number)
        other = BtrfsFs(self._source, self._fs, number)
        other._listed = self._listed
        return other

    def root(self) -> Node:
        from fs_explorer.entry import EntryType
        from fs_explorer.tree import Node as InnerNode

        with translated("btrfs"):
            _, folder = self._fs.subvol_root(self.subvolume)
            inner: InnerNode = InnerNode(
                "", EntryType.DIR, ref=(self.subvolume, folder), statted=False
            )
            return self._node(inner)

    def _places(self) -> Iterator[tuple[int, tuple[int, int, str]]]:
        """Of each subvolume: the one it is in, the folder in that, and its name there."""
        items = self._fs.trees.iter_from(self._super.root, (_FIRST, 0, 0))
        for count, ((number, kind, parent), data) in enumerate(items):
            if count > MAX_ROOT_ITEMS:
                raise Unreadable("too-large", "btrfs: its root tree has too many items")
            if number > _LAST:
                return
            if kind != _ROOT_BACKREF:
                continue
            folder, _, length = struct.unpack_from("<QQH", data)
            if not 0 < length <= len(data) - 18:
                raise damaged("btrfs: name of a subvolume")
            yield number, (parent, folder, _text(data[18 : 18 + length]))

    def _path(self, number: int, places: dict[int, tuple[int, int, str]]) -> str:
        names: list[str] = []
        for _ in range(MAX_DEPTH):
            if number == TOP_SUBVOLUME:
                return "/".join(reversed(names))
            if number not in places:
                break
            parent, folder, name = places[number]
            names += [name, *self._above(parent, folder)]
            number = parent
        raise damaged("btrfs: a subvolume is in none, or too deep")

    def _above(self, tree: int, folder: int) -> Iterator[str]:
        """The names of `folder` and what it is in, up to its subvolume's root."""
        root, top = self._fs.subvol_root(tree)
        for _ in range(MAX_DEPTH):
            if folder == top:
                return
            items = self._fs.trees.iter_range(root, folder, _INODE_REF)
            key, data = next(items, (None, b""))
            if key is None or len(data) < 10:
                break
            length = int.from_bytes(data[8:10], "little")
            yield _text(data[10 : 10 + length])
            folder = key[2]
        raise damaged("btrfs: a folder is in none, or too deep")

    def _is_fixed(self, number: int) -> bool:
        for key, data in self._fs.trees.iter_from(self._super.root, (number, _ROOT_ITEM, 0)):
            if key[:2] != (number, _ROOT_ITEM):
                break
            return len(data) >= 216 and bool(data[208] & _READ_ONLY)
        raise damaged(f"btrfs: subvolume {number} has no root item")


def _text(name: bytes) -> str:
    return name.decode("utf-8", "backslashreplace")
