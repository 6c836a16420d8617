"""The bytes of VDI 1.1, as VirtualBox's VDICore.h lays them out. Integers are little-endian.

0    text, signature, version
72   header: type, where the map and the data begin, sizes, UUIDs
..   map: for each block of the disk its index among the blocks of the file
..   data: blocks
"""

from __future__ import annotations

import struct

from diskwright._values import Struct
from diskwright.model.image import Geometry
from diskwright.model.units import MIB

TEXT_BYTES = 64
SIGNATURE = 0xBEDA107F
VERSION = 0x10001
PREFIX_BYTES = 72
# text, signature, version, header size, type, flags, description, map, data, cylinders, heads,
# sectors, sector size, reserved, disk size, block size, bytes before each block, blocks,
# blocks allocated, UUIDs: image, last change, link, parent
_HEADER = struct.Struct("<64sIIIII256sIIIIIIIQIIII16s16s16s16s")
HEADER_END = _HEADER.size
HEADER_BYTES_MIN = HEADER_END - PREFIX_BYTES  # later ones have more fields, which we don't need

DYNAMIC = 1
STATIC = 2
UNDO = 3
DIFFERENCING = 4

BLOCK_SIZE = 1 * MIB
ENTRY_BYTES = 4
ZERO = 0xFFFFFFFE  # and UNUSED is above it
UNUSED = 0xFFFFFFFF
SIZE_MAX = 1 << 50


class Header(Struct, frozen=True):
    text: bytes
    signature: int
    version: int
    length: int
    kind: int
    map_offset: int
    data_offset: int
    geometry: Geometry
    sector_size: int
    virtual_size: int
    block_size: int
    block_extra: int
    blocks: int
    link: bytes
    parent: bytes

    @property
    def map_bytes(self) -> int:
        return self.blocks * ENTRY_BYTES


def decode_header(data: bytes) -> Header:
    """HEADER_END bytes. Nothing is judged."""
    fields = _HEADER.unpack_from(data)
    return Header(
        text=fields[0],
        signature=fields[1],
        version=fields[2],
        length=fields[3],
        kind=fields[4],
        map_offset=fields[7],
        data_offset=fields[8],
        geometry=Geometry(*fields[9:12]),
        sector_size=fields[12],
        virtual_size=fields[14],
        block_size=fields[15],
        block_extra=fields[16],
        blocks=fields[17],
        link=fields[21],
        parent=fields[22],
    )
