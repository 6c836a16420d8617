"""The bytes of VHD, as Microsoft's "Virtual Hard Disk Image Format Specification" lays them out.

fixed    data, footer
dynamic  footer's copy, dynamic header, block allocation table, blocks, footer

A block is a bitmap of its sectors, padded to 512, then its data. Integers are big-endian.
"""

from __future__ import annotations

import struct

from diskwright._values import Struct
from diskwright.model.image import Geometry
from diskwright.model.units import KIB, MIB, SECTOR, TIB, round_up

COOKIE = b"conectix"
FOOTER_BYTES = 512
OLD_FOOTER_BYTES = 511  # of Virtual PC before 2004: the last byte, which is reserved, is missing
VERSION = 0x10000
# cookie, features, version, data offset, time, creator, its version, its system, first size,
# current size, cylinders, heads, sectors a track, type, checksum
_FOOTER = struct.Struct(">8sIIQI4sI4sQQHBBII")
_FOOTER_CHECKSUM_AT = 64
_FEATURES = 2  # a reserved bit, which is always set
_SYSTEM = b"Wi2k"  # the specification knows this one and the Macintosh
NO_OFFSET = (1 << 64) - 1  # of a fixed disk, which has no dynamic header
_UUID = slice(68, 84)

FIXED = 2
DYNAMIC = 3
DIFFERENCING = 4

# Where the geometry has no room for the size, it is this one (appendix "CHS Calculation").
GEOMETRY_MAX_BYTES = 65535 * 16 * 255 * SECTOR
SIZE_MAX = 0xFF000000 * SECTOR  # 2040 GiB
TABLE_REACH_MAX = 2 * TIB  # 2^32 sectors: an entry can't name more

# Programs that mean the current size. QEMU (block/vpc.c) goes by the geometry for all others.
SIZE_CREATORS = (b"win ", b"qem2", b"d2v ", b"tap\0", b"CTXS")

DYNAMIC_COOKIE = b"cxsparse"
DYNAMIC_BYTES = 1 * KIB
# cookie, next header, table offset, version, table entries, block size, checksum, parent's UUID,
# parent's time, reserved, parent's name
_DYNAMIC = struct.Struct(">8sQQIIII16sII512s")
_DYNAMIC_CHECKSUM_AT = 36
# platform code, data space, data length, reserved, data offset
_LOCATOR = struct.Struct(">4sIIIQ")
_LOCATORS = 8
LOCATOR_ENCODINGS = {b"W2ku": "utf-16-le", b"W2ru": "utf-16-le", b"MacX": "utf-8"}

BLOCK_MIN = SECTOR
BLOCK_MAX = 256 * MIB
ENTRY_BYTES = 4
UNUSED = 0xFFFFFFFF


class Footer(Struct, frozen=True):
    version: int
    data_offset: int  # of the dynamic header
    creator: bytes
    current_size: int
    geometry: Geometry
    kind: int


class Locator(Struct, frozen=True):
    """Where a parent's name stands, in an encoding that its code tells."""

    code: bytes
    length: int
    offset: int


class DynamicHeader(Struct, frozen=True):
    cookie: bytes
    table_offset: int
    version: int
    entries: int
    block_size: int
    parent: str
    locators: tuple[Locator, ...]

    @property
    def table_bytes(self) -> int:
        return self.entries * ENTRY_BYTES

    @property
    def bitmap_bytes(self) -> int:
        return round_up(self.block_size // SECTOR // 8, SECTOR)


def decode_footer(data: bytes) -> Footer:
    """At least 511 bytes. Nothing is judged."""
    fields = _FOOTER.unpack_from(data)
    return Footer(fields[2], fields[3], fields[5], fields[9], Geometry(*fields[10:13]), fields[13])


def encode_footer(footer: Footer, *, unique_id: bytes) -> bytes:
    """FOOTER_BYTES bytes. No time is told: 2000-01-01, where the format's time begins."""
    fields = _FOOTER.pack(
        COOKIE, _FEATURES, footer.version, footer.data_offset, 0, footer.creator, VERSION, _SYSTEM,
        footer.current_size, footer.current_size, footer.geometry.cylinders, footer.geometry.heads,
        footer.geometry.sectors, footer.kind, 0,
    )  # fmt: skip
    data = bytearray((fields + unique_id).ljust(FOOTER_BYTES, b"\0"))
    checksum = ~sum(data) & 0xFFFFFFFF
    data[_FOOTER_CHECKSUM_AT : _FOOTER_CHECKSUM_AT + 4] = checksum.to_bytes(4)
    return bytes(data)


def footer_sound(data: bytes) -> bool:
    return _sum_holds(data, _FOOTER_CHECKSUM_AT)


def lacks_uuid(data: bytes) -> bool:
    """Whether the checksum is that of a footer without its UUID: QEMU of 2013 wrote it so."""
    blank = bytes(_UUID.stop - _UUID.start)
    return footer_sound(data[: _UUID.start] + blank + data[_UUID.stop :])


def decode_dynamic(data: bytes) -> DynamicHeader:
    """DYNAMIC_BYTES bytes. Nothing is judged."""
    cookie, _, table_offset, version, entries, block_size, *rest = _DYNAMIC.unpack_from(data)
    places = [_DYNAMIC.size + _LOCATOR.size * index for index in range(_LOCATORS)]
    found = [_LOCATOR.unpack_from(data, place) for place in places]
    return DynamicHeader(
        cookie=cookie,
        table_offset=table_offset,
        version=version,
        entries=entries,
        block_size=block_size,
        parent=rest[-1].decode("utf-16-be", "replace").partition("\0")[0],
        locators=tuple(Locator(code, length, offset) for code, _, length, _, offset in found),
    )


def dynamic_sound(data: bytes) -> bool:
    return _sum_holds(data, _DYNAMIC_CHECKSUM_AT)


def _sum_holds(data: bytes, at: int) -> bool:
    """The one's complement of the sum of all bytes but those of the checksum itself."""
    total = sum(data) - sum(data[at : at + 4])
    return int.from_bytes(data[at : at + 4]) == ~total & 0xFFFFFFFF
