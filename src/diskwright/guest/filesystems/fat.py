"""FAT12, FAT16 and FAT32 through fs_explorer's driver, pure Python, one thread.

This is the only module that knows fs_explorer, and its version is pinned: the driver layer used
here is below what its authors promise to keep. It is imported late, since it is slow to import and
most disks have no FAT; `preload` imports all of it before the process is confined.
"""

from __future__ import annotations

import codecs
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from diskwright.guest.filesystems.base import Node, NodeKind
from diskwright.guest.reading import damaged
from diskwright.guest.source import ByteSource
from diskwright.model.image import Problem
from diskwright.model.units import MIB, SECTOR

if TYPE_CHECKING:
    from fs_explorer import tree as fse_tree
    from fs_explorer.filesystems import fat as fse_fat

_CACHE_BYTES = 2 * MIB  # of FAT pages and directories; the source below caches blocks
_CHUNK = MIB

# FAT specification (Microsoft, 2005), section 3: extended boot signature, serial, state
_EXTENDED_FAT16, _EXTENDED_FAT32 = 36, 64
_STATE_DIRTY = 0x01  # as Linux sets it while mounted
_CLEAN_BIT = {16: 1 << 15, 32: 1 << 27}  # in the second entry of the FAT


def preload() -> None:
    """Import what reading a FAT needs, also what fs_explorer itself imports late."""
    import fs_explorer.codecs.native
    import fs_explorer.filesystems.fat
    import fs_explorer.io.view

    fs_explorer.codecs.native.kernel("fsmeta", "pure")
    for encoding in ("ascii", "cp437", "utf-8", "utf-16-le"):
        codecs.lookup(encoding)


def open_fat(source: ByteSource) -> FatFs | None:
    """None where there is no FAT's boot sector."""
    if source.size < SECTOR:
        return None
    sector = source.read(0, SECTOR)
    if sector[510:] != b"\x55\xaa":
        return None
    from fs_explorer.filesystems import fat

    parameters = fat.parse_bpb(sector)
    return None if parameters is None else FatFs(source, sector, parameters)


class FatFs:
    """A `GuestFs`. Names are UTF-8, and found whatever their case."""

    def __init__(self, source: ByteSource, sector: bytes, parameters: fse_fat.BPB) -> None:
        from fs_explorer.filesystems import fat
        from fs_explorer.io.cache import Cache
        from fs_explorer.io.source import RandomAccess
        from fs_explorer.io.stats import NULL_STATS
        from fs_explorer.tree import Context

        class Access(RandomAccess):
            size = source.size

            def read_at(self, off: int, n: int) -> bytes:
                return source.read(off, n)

        self._source = source
        self._bpb = parameters
        context = Context(cache=Cache(_CACHE_BYTES), stats=NULL_STATS, backend="pure")
        self._tree = fat.FATTree(Access(), parameters, context)
        self._sector = sector
        extended = _EXTENDED_FAT32 if parameters.fat_bits == 32 else _EXTENDED_FAT16
        _, state, signature, serial = struct.unpack_from("<BBBI", sector, extended)
        self._state = state
        self._uuid = (
            f"{serial >> 16:04X}-{serial & 0xFFFF:04X}" if signature in (0x28, 0x29) else None
        )

    @property
    def type(self) -> str:
        return "vfat"

    @property
    def uuid(self) -> str | None:
        return self._uuid

    @property
    def label(self) -> str | None:
        with _translated():
            return self._tree.volume_label()

    @property
    def size(self) -> int:
        return self._bpb.total * self._bpb.bps

    @property
    def free(self) -> int | None:
        """From the FSInfo sector, which only FAT32 has, and which is a hint."""
        number = struct.unpack_from("<H", self._sector, 48)[0]
        if self._bpb.fat_bits != 32 or not 0 < number < self._bpb.reserved:
            return None
        info = self._source.read(number * self._bpb.bps, SECTOR)
        clusters = struct.unpack_from("<I", info, 488)[0]
        if (info[:4], info[484:488]) != (b"RRaA", b"rrAa") or clusters > self._bpb.clusters:
            return None
        return int(clusters) * self._bpb.cluster_size

    @property
    def dirty(self) -> bool | None:
        """By the state byte (Linux), or by the second entry of the FAT (Windows)."""
        if self._state & _STATE_DIRTY:
            return True
        bits = self._bpb.fat_bits
        if bits not in _CLEAN_BIT:
            return False
        width = bits // 8
        entry = self._source.read(self._bpb.fat_off + width, width)
        return not int.from_bytes(entry, "little") & _CLEAN_BIT[bits]

    @property
    def note(self) -> str:
        return ""

    @property
    def problems(self) -> tuple[Problem, ...]:
        if self.size > self._source.size:
            detail = f"the file system has {self.size} bytes, its place {self._source.size}"
            return (Problem("filesystem-past-end", detail),)
        return ()

    def root(self) -> Node:
        return _node(self._tree.root())

    def names(self, node: Node) -> Iterator[bytes]:
        return (name for name, _ in self.entries(node))

    def entries(self, node: Node) -> Iterator[tuple[bytes, Node]]:
        with _translated():
            for child in self._tree.children(_inner(node)):
                name = child.name.encode("utf-8", "surrogatepass")
                if not name or b"/" in name or b"\0" in name:
                    raise damaged("name in a directory")
                yield name, _node(child)

    def child(self, node: Node, name: bytes) -> Node | None:
        try:
            text = name.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            return None
        with _translated():
            found = self._tree.lookup(_inner(node), text)
        return None if found is None else _node(found)

    def readlink(self, node: Node) -> bytes:
        raise damaged(f"FAT has no links, and this is a {node.kind}")

    def read(self, node: Node, offset: int, length: int) -> bytes:
        end = min(offset + length, node.size)
        if offset < 0 or offset >= end:
            return b""
        with _translated():
            data = self._tree.open_file(_inner(node))
            read = data.read_at  # type: ignore[union-attr]
            return b"".join(read(at, min(_CHUNK, end - at)) for at in range(offset, end, _CHUNK))


def _node(inner: fse_tree.Node) -> Node:
    kind = NodeKind.DIR if inner.ref.is_dir else NodeKind.FILE
    return Node(kind, inner.size or 0, inner.mode or 0, inner)


def _inner(node: Node) -> fse_tree.Node:
    from fs_explorer.tree import Node as InnerNode

    assert isinstance(node.handle, InnerNode)
    if node.handle.error:
        raise damaged(node.handle.error)
    return node.handle


@contextmanager
def _translated() -> Iterator[None]:
    """What the driver raises for damage, as ours."""
    from fs_explorer.errors import PARSER_ERRORS, FsExplorerError

    failures: tuple[type[BaseException], ...] = (FsExplorerError, *PARSER_ERRORS)
    try:
        yield
    except failures as error:
        raise damaged(f"FAT: {error}") from error
