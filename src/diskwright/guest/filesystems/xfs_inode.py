"""XFS on disk: the inode.

Source: "XFS Algorithms & Data Structures", 3rd edition, chapter "On-disk Inode"; di_big_nextents
is in the kernel's fs/xfs/libxfs/xfs_format.h. Numbers are big-endian.

    core (100 bytes, 176 in version 3) | data fork | attributes, from di_forkoff * 8 on
"""

from __future__ import annotations

import stat
import struct
from enum import IntEnum

from diskwright._values import Struct
from diskwright.guest.filesystems.base import NodeKind
from diskwright.guest.filesystems.xfs_layout import Superblock, checksum_right
from diskwright.guest.reading import damaged

_MAGIC = b"IN"
_CRC = 100
_CORE_SIZE = {1: 100, 2: 100, 3: 176}  # by the inode's version
_REALTIME = 0x1  # di_flags: the data is on another device
_LARGE_COUNTS = 0x10  # di_flags2, NREXT64: the number of extents has 64 bits


class Format(IntEnum):
    """What the data fork holds."""

    DEVICE = 0
    LOCAL = 1  # the bytes themselves
    EXTENTS = 2
    BTREE = 3


_FORMATS = {
    NodeKind.FILE: (Format.EXTENTS, Format.BTREE),
    NodeKind.DIR: (Format.LOCAL, Format.EXTENTS, Format.BTREE),
    NodeKind.LINK: (Format.LOCAL, Format.EXTENTS),
}


class Inode(Struct, frozen=True):
    number: int
    mode: int
    size: int
    format: Format
    extents: int
    realtime: bool
    fork: bytes  # the data fork

    @property
    def kind(self) -> NodeKind:
        if stat.S_ISREG(self.mode):
            return NodeKind.FILE
        if stat.S_ISDIR(self.mode):
            return NodeKind.DIR
        return NodeKind.LINK if stat.S_ISLNK(self.mode) else NodeKind.OTHER


def parse_inode(data: bytes, number: int, sb: Superblock) -> Inode:
    """`data` is the whole inode."""
    mode, version, form = struct.unpack_from(">HBB", data, 2)
    if data[:2] != _MAGIC or (version == 3) != sb.has_checksums or version not in _CORE_SIZE:
        raise damaged(f"inode {number}")
    large = False
    if version == 3:
        if not checksum_right(data, _CRC):
            raise damaged(f"checksum of inode {number}")
        flags2, own, owner = struct.unpack_from(">Q24xQ16s", data, 120)
        if own != number or owner != sb.metadata_uuid:
            raise damaged(f"inode {number} is that of another place")
        large = bool(flags2 & _LARGE_COUNTS)
    start, behind = _CORE_SIZE[version], data[82] * 8  # di_forkoff: where the attributes begin
    end = start + behind if behind else sb.inode_size
    size = struct.unpack_from(">Q", data, 56)[0]
    if not mode or end > sb.inode_size or size >= 1 << 63 or form > Format.BTREE:
        raise damaged(f"inode {number} contradicts itself")
    inode = Inode(
        number=number,
        mode=mode,
        size=size,
        format=Format(form),
        extents=struct.unpack_from(*(">Q", data, 24) if large else (">I", data, 76))[0],
        realtime=bool(struct.unpack_from(">H", data, 90)[0] & _REALTIME),
        fork=data[start:end],
    )
    if inode.format not in _FORMATS.get(inode.kind, tuple(Format)):
        raise damaged(f"inode {number} keeps its data as no {inode.kind} does")
    return inode
