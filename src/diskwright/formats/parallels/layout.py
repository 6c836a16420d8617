"""The bytes of a Parallels expandable image, by QEMU's docs/interop/parallels.txt, little-endian.

0    header     64 bytes
64   BAT        an entry of 32 bits for each cluster: where it lies, or 0
..   data       clusters in a row from the data offset to the end of the file
"""

from __future__ import annotations

import struct

from diskwright._values import Struct

_HEADER = struct.Struct("<16sIIIIIQIIIQ")
HEADER_BYTES = _HEADER.size
ENTRY_BYTES = 4

MAGIC = b"WithoutFreeSpace"  # a BAT entry counts sectors
MAGIC_EXTENDED = b"WithouFreSpacExt"  # a BAT entry counts clusters
VERSION = 2
TRACKS_MAX = ((1 << 31) - 1) // 513  # QEMU's; about 2 GiB

IN_USE = 0x746F6E59
CLOSED = 0x312E3276
CLOSED_OLD = 0  # by a program that knows no other value
FLAG_EMPTY = 1 << 0


class Header(Struct, frozen=True):
    """The fixed fields. Offsets and sizes are in sectors where a name does not say bytes."""

    magic: bytes
    version: int
    heads: int
    cylinders: int
    tracks: int  # sectors a cluster
    bat_entries: int
    sectors_field: int
    in_use: int
    data_offset_field: int
    flags: int
    extension_offset: int

    @property
    def extended(self) -> bool:
        return self.magic == MAGIC_EXTENDED

    @property
    def sectors(self) -> int:
        """The disk's. Of the older kind the low 32 bits count."""
        return self.sectors_field if self.extended else self.sectors_field & 0xFFFF_FFFF

    @property
    def cluster_bytes(self) -> int:
        return self.tracks * 512

    @property
    def bat_bytes(self) -> int:
        return self.bat_entries * ENTRY_BYTES

    @property
    def bat_end(self) -> int:
        """The first sector behind the BAT."""
        return -(-(HEADER_BYTES + self.bat_bytes) // 512)

    @property
    def data_offset(self) -> int:
        return self.data_offset_field or self.bat_end

    @property
    def entry_sectors(self) -> int:
        """What a BAT entry counts in."""
        return self.tracks if self.extended else 1


def decode_header(data: bytes) -> Header | None:
    """The header that `data` begins with, or None where bytes are missing. Nothing is judged."""
    if len(data) < HEADER_BYTES:
        return None
    return Header(*_HEADER.unpack_from(data))
