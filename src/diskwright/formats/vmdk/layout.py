"""The bytes of a sparse VMDK extent, as VMware's "Virtual Disk Format 5.0" lays them out.

0     header     one sector, little-endian; places and sizes in sectors of 512 bytes
512   descriptor text, where the extent is a disk of its own
..    directory  a 32-bit sector number of a grain table for every 512 grains; 0 is none
..    tables     512 sector numbers of grains each; 0 is none, 1 reads as zeros (by a flag)
..    grains

A stream has its directory after its grains: the header says so, and a copy of it (the footer), the
last but one sector, has the place. Before every part of a stream stands a marker, of one sector,
but for grains: 12 bytes, and the compressed grain follows at once.
"""

from __future__ import annotations

import struct

from diskwright._values import Struct
from diskwright.model.units import SECTOR, round_up

MAGIC = b"KDMV"
COW_MAGIC = b"COWD"
_HEADER = struct.Struct("<4sIIQQQQIQQQB4sH")
HEADER_BYTES = SECTOR

FLAG_NEWLINES = 1 << 0
FLAG_REDUNDANT = 1 << 1
FLAG_ZEROED = 1 << 2
FLAG_COMPRESSED = 1 << 16
FLAG_MARKERS = 1 << 17
FLAGS_KNOWN = FLAG_NEWLINES | FLAG_REDUNDANT | FLAG_ZEROED | FLAG_COMPRESSED | FLAG_MARKERS

VERSIONS = (1, 2, 3)
NEWLINES = b"\n \r\n"  # what a transfer as text does not leave as it is
DIRECTORY_AT_END = (1 << 64) - 1
DEFLATE = 1
ENTRY_BYTES = 4
TABLE_ENTRIES = 512
TABLE_SECTORS = TABLE_ENTRIES * ENTRY_BYTES // SECTOR
TABLE_BYTES = TABLE_SECTORS * SECTOR
ENTRY_ZEROED = 1
DESCRIPTOR_SECTOR = 1

MARKER = struct.Struct("<QII")  # sectors that follow, 0, type
MARKER_END = 0
MARKER_FOOTER = 3
FOOTER_BYTES = 3 * SECTOR  # its marker, itself, the end of the stream
GRAIN_MARKER = struct.Struct("<QI")  # the grain's first sector on the disk, bytes that follow

# Where each field of the header stands, for refusals
AT_VERSION, AT_FLAGS, AT_CAPACITY, AT_GRAIN = 4, 8, 12, 20
AT_DESCRIPTOR, AT_DESCRIPTOR_SIZE, AT_TABLE_ENTRIES = 28, 36, 44
AT_REDUNDANT, AT_DIRECTORY, AT_OVERHEAD, AT_NEWLINES, AT_COMPRESSION = 48, 56, 64, 73, 77


class Header(Struct, frozen=True):
    """The fields in their order. Places and sizes are sectors."""

    magic: bytes
    version: int
    flags: int
    capacity: int
    grain: int
    descriptor: int
    descriptor_size: int
    table_entries: int
    redundant: int
    directory: int
    overhead: int
    unclean: int
    newlines: bytes
    compression: int

    @property
    def grain_bytes(self) -> int:
        return self.grain * SECTOR

    @property
    def compressed(self) -> bool:
        return bool(self.flags & FLAG_COMPRESSED)

    @property
    def has_zeroed(self) -> bool:
        return bool(self.flags & FLAG_ZEROED)

    @property
    def tables(self) -> int:
        """How many grain tables the disk takes."""
        return -(-self.capacity // (self.grain * TABLE_ENTRIES))

    @property
    def directory_bytes(self) -> int:
        return self.tables * ENTRY_BYTES

    @property
    def directory_sectors(self) -> int:
        return round_up(self.directory_bytes, SECTOR) // SECTOR


def decode_header(sector: bytes) -> Header | None:
    """The header in a whole sector; None where it is shorter."""
    return Header(*_HEADER.unpack_from(sector)) if len(sector) == HEADER_BYTES else None
