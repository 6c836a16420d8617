"""UDF as it lies on the disc (ECMA-167 parts 3 and 4, OSTA UDF 2.60)."""

from __future__ import annotations

import binascii
import struct
from datetime import UTC, datetime, timedelta

from diskwright._values import Struct

TAG_BYTES = 16
ANCHOR_SECTOR = 256

# Tag identifiers (3/7.2.1, 4/7.2.1)
PRIMARY, ANCHOR, POINTER, PARTITION, LOGICAL, TERMINATOR = 1, 2, 3, 5, 6, 8
FILE_SET, FILE_IDENTIFIER, FILE_ENTRY, EXTENDED_FILE_ENTRY = 256, 257, 261, 266

# File characteristics (4/14.4.3)
IS_DIRECTORY, IS_DELETED, IS_PARENT = 0x02, 0x04, 0x08

# File types (4/14.6.6)
TYPE_DIRECTORY, TYPE_FILE, TYPE_LINK = 4, 5, 12
SPECIAL_TYPES = {6: "block device", 7: "character device", 9: "FIFO", 10: "socket"}
FILE_TYPES = (TYPE_FILE, 0, 249, 250, 251)  # 0: not said; 249 to 251: real-time files

STRATEGY = 4  # the one that UDF uses on read-only media (2.3.5.1)

# Extent types of an allocation descriptor, its two highest bits (4/14.14.1.1)
RECORDED, CONTINUED = 0, 3
LENGTH_BITS = (1 << 30) - 1

# Kinds of allocation descriptors, flags of the ICB tag (4/14.6.8)
SHORT, LONG, INLINE = 0, 1, 3

_LONG_AD = struct.Struct("<IIH6x")
_SHORT_AD = struct.Struct("<II")
_ENTRY = struct.Struct("<16x4xH5xB6xH8xI8xQ")  # 261 and 266 alike up to the information length


class Allocation(Struct, frozen=True):
    """`length` in bytes, `block` in logical blocks of its partition."""

    kind: int
    length: int
    block: int
    partition: int


class FileEntry(Struct, frozen=True):
    """`descriptors` say where the data is, or are the data; they begin at `descriptors_at`."""

    file_type: int
    strategy: int
    mode: int
    size: int
    mtime: int | None
    ad_kind: int
    descriptors: bytes
    descriptors_at: int


class Identifier(Struct, frozen=True):
    """An entry of a directory."""

    characteristics: int
    icb: Allocation
    name: str


def tag_of(data: bytes) -> int | None:
    """The identifier of a descriptor whose tag and contents hold; None where they do not."""
    if len(data) < TAG_BYTES or (sum(data[:16]) - data[4]) & 0xFF != data[4]:
        return None
    crc, length = struct.unpack_from("<HH", data, 8)
    if TAG_BYTES + length > len(data):
        return None
    if binascii.crc_hqx(data[TAG_BYTES : TAG_BYTES + length], 0) != crc:
        return None
    return int.from_bytes(data[:2], "little")


def long_ad(data: bytes, offset: int) -> Allocation:
    length, block, partition = _LONG_AD.unpack_from(data, offset)
    return Allocation(length >> 30, length & LENGTH_BITS, block, partition)


def short_ad(data: bytes, offset: int, partition: int) -> Allocation:
    length, block = _SHORT_AD.unpack_from(data, offset)
    return Allocation(length >> 30, length & LENGTH_BITS, block, partition)


def parse_file_entry(data: bytes, tag: int) -> FileEntry | None:
    """None where its parts do not fit in."""
    strategy, file_type, flags, permissions, size = _ENTRY.unpack_from(data)
    extended = tag == EXTENDED_FILE_ENTRY
    modified, lengths, body = (92, 208, 216) if extended else (84, 168, 176)
    attributes, descriptors = struct.unpack_from("<II", data, lengths)
    start = body + attributes
    if start + descriptors > len(data):
        return None
    return FileEntry(
        file_type,
        strategy,
        _mode(permissions),
        size,
        timestamp(data[modified : modified + 12]),
        flags & 7,
        data[start : start + descriptors],
        start,
    )


def parse_identifier(data: bytes, offset: int) -> tuple[Identifier, int] | None:
    """The entry at `offset` and its length, a multiple of 4; None where it does not fit in."""
    if offset + 38 > len(data):
        return None
    characteristics, name_length = data[offset + 18], data[offset + 19]
    use = int.from_bytes(data[offset + 36 : offset + 38], "little")
    start = offset + 38 + use
    end = start + name_length
    length = (end - offset + 3) & ~3
    if end > len(data) or tag_of(data[offset : offset + length]) != FILE_IDENTIFIER:
        return None
    name = characters(data[start:end])
    return Identifier(characteristics, long_ad(data, offset + 20), name), length


def characters(data: bytes) -> str:
    """OSTA compressed Unicode (UDF 2.1.1): the first byte says 8 or 16 bits a character."""
    if not data:
        return ""
    coding = {8: "latin-1", 16: "utf-16-be"}.get(data[0])
    return data[1:].decode(coding, "replace") if coding else "\ufffd" * (len(data) - 1)


def dstring(field: bytes) -> str:
    """A field of fixed size: its last byte is the length in use (1/7.2.12)."""
    return characters(field[: min(field[-1], len(field) - 1)]).strip(" \0")


def revision(suffix: int) -> str:
    """Of a domain identifier's suffix: 0x0260 is 2.60 (UDF 2.1.5.3)."""
    return f"{suffix >> 8:x}.{suffix & 0xFF:02x}"


def timestamp(data: bytes) -> int | None:
    """Seconds since 1970 of 1/7.3; None where it is no date."""
    if len(data) < 12:
        return None
    zone, year, month, day, hour, minute, second = struct.unpack_from("<HhBBBBB", data)
    offset = zone & 0xFFF
    offset = offset - 0x1000 if offset & 0x800 else offset
    if offset == -2047:  # not said
        offset = 0
    if not 1970 <= year <= 9998 or abs(offset) > 1440:
        return None
    try:
        local = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    return max(0, int((local - timedelta(minutes=offset)).timestamp()))


def _mode(permissions: int) -> int:
    """Execute, write, read are bits 0 to 2 of each five, for others, group and owner (4/14.9.5)."""
    return sum((permissions >> 5 * who & 7) << 3 * who for who in range(3))


def link_target(data: bytes) -> str | None:
    """The path of a symbolic link (4/14.16); None where it does not fit in."""
    parts: list[str] = []
    absolute = False
    position = 0
    while position + 4 <= len(data):
        kind, length = data[position], data[position + 1]
        content = data[position + 4 : position + 4 + length]
        if len(content) < length:
            return None
        position += 4 + length
        if kind in (1, 2):
            absolute, parts = True, []
        elif kind in (3, 4):
            parts.append(".." if kind == 3 else ".")
        else:
            parts.append(characters(content))
    return ("/" if absolute else "") + "/".join(parts)
