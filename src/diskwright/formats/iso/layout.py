"""ISO 9660 as it lies on the disc (ECMA-119): volume descriptors, directory records, dates."""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from diskwright._values import Struct
from diskwright.model.times import time_text

SECTOR = 2048
FIRST_DESCRIPTOR = 16  # sector
STANDARD_ID = b"CD001"

BOOT_RECORD, PRIMARY, SUPPLEMENTARY, TERMINATOR = 0, 1, 2, 255
ENHANCED_VERSION = 2  # of a supplementary descriptor: ISO 9660:1999

# Escape sequences of UCS-2 (Joliet specification, 1995): level
JOLIET_LEVELS = {b"%/@": 1, b"%/C": 2, b"%/E": 3}

# File flags (9.1.6)
HIDDEN, DIRECTORY, ASSOCIATED, MULTI_EXTENT = 0x01, 0x02, 0x04, 0x80

SMALLEST_RECORD = 34
_RECORD = struct.Struct("<BBI4xI4x7sBBB4xB")  # 9.1.1 to 9.1.10; little-endian halves
RECORD_HEAD = _RECORD.size


class Volume(Struct, frozen=True):
    """A primary or supplementary descriptor (8.4, 8.5). Identifiers are bytes as they stand."""

    kind: int
    version: int
    block_size: int
    blocks: int
    escapes: bytes
    root: Record
    system_id: bytes
    volume_id: bytes
    volume_set_id: bytes
    publisher_id: bytes
    preparer_id: bytes
    application_id: bytes
    created: str | None

    @property
    def size(self) -> int:
        return self.blocks * self.block_size


class Record(Struct, frozen=True):
    """A directory record. `block` and `skipped` count logical blocks, `length` bytes."""

    skipped: int  # blocks of extended attributes before the data
    block: int
    length: int
    date: bytes
    flags: int
    unit: int  # not 0: interleaved
    name: bytes
    system_use: bytes


def parse_volume(sector: bytes) -> Volume | None:
    """None where the root's record does not hold."""
    root = parse_record(sector[156 : 156 + SMALLEST_RECORD])
    if root is None:
        return None
    return Volume(
        kind=sector[0],
        version=sector[6],
        block_size=int.from_bytes(sector[128:130], "little"),
        blocks=int.from_bytes(sector[80:84], "little"),
        escapes=sector[88:120],
        root=root,
        system_id=sector[8:40],
        volume_id=sector[40:72],
        volume_set_id=sector[190:318],
        publisher_id=sector[318:446],
        preparer_id=sector[446:574],
        application_id=sector[574:702],
        created=_long_date(sector[813:830]),
    )


def parse_record(data: bytes) -> Record | None:
    """The record that fills `data`; None where its parts do not fit in."""
    if len(data) < SMALLEST_RECORD:
        return None
    length, skipped, block, size, date, flags, unit, _, name_length = _RECORD.unpack_from(data)
    name_end = RECORD_HEAD + name_length
    if length != len(data) or not name_length or name_end > length:
        return None
    name = data[RECORD_HEAD:name_end]
    return Record(skipped, block, size, date, flags, unit, name, data[name_end + (name_end & 1) :])


@lru_cache(maxsize=1024)  # the files of a disc have few
def short_date(data: bytes) -> int | None:
    """Seconds since 1970 of the 7 bytes of 9.1.5; None where they are no date."""
    if len(data) < 7:
        return None
    year, month, day, hour, minute, second = data[:6]
    zone = int.from_bytes(data[6:7], "little", signed=True)
    return _seconds(1900 + year, month, day, hour, minute, second, zone)


def long_date_seconds(data: bytes) -> int | None:
    """Seconds since 1970 of the 17 bytes of 8.4.26.1: digits, and the zone in quarter hours."""
    digits = data[:14]
    if len(data) < 17 or not digits.isdigit():
        return None
    year, month, day = int(digits[:4]), int(digits[4:6]), int(digits[6:8])
    hour, minute, second = int(digits[8:10]), int(digits[10:12]), int(digits[12:14])
    zone = int.from_bytes(data[16:17], "little", signed=True)
    return _seconds(year, month, day, hour, minute, second, zone)


def _long_date(data: bytes) -> str | None:
    seconds = long_date_seconds(data)
    return time_text(seconds) if seconds is not None else None


def _seconds(
    year: int, month: int, day: int, hour: int, minute: int, second: int, zone: int
) -> int | None:
    """None for what is no date, before 1970, or in a zone that there is not."""
    if not 1970 <= year <= 9998 or not -48 <= zone <= 52:
        return None
    try:
        local = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    return max(0, int((local - timedelta(minutes=15 * zone)).timestamp()))


def text(data: bytes) -> str:
    """An identifier of a descriptor, without its padding."""
    return data.split(b"\0")[0].decode("utf-8", "replace").strip(" ")
