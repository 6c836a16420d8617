"""Where things lie on an LVM2 physical volume. All numbers are little-endian.

Source: lvm2 2.03, lib/label/label.h (the label), lib/format_text/layout.h (the rest).

    sector 0 to 3   label: "LABELONE", own sector u64, checksum u32, offset of the header u32, type
    + offset        PV header: uuid, size, data areas, a zero area, metadata areas, a zero area
    metadata area   header of 512 bytes, then the text, in a ring that leads back behind the header
"""

from __future__ import annotations

import struct
import zlib

from diskwright._values import Struct
from diskwright.guest.reading import damaged
from diskwright.model.units import SECTOR

LABEL_SECTORS = 4
LABEL_ID = b"LABELONE"
LABEL_TYPE = b"LVM2 001"
AREA_MAGIC = b" LVM2 x[5A%r0N*>"
AREA_HEADER_SIZE = 512
AREA_IGNORED = 1  # RAW_LOCN_IGNORED: nothing there counts
MAX_AREAS = 2  # of one kind: lvm2 makes no more

_LABEL = struct.Struct("<8sQII8s")
_LABEL_CHECKED = 20  # the checksum is of what stands behind it
_AREA = struct.Struct("<QQ")
_PV_HEADER = struct.Struct("<32sQ")
_AREA_HEADER = struct.Struct("<I16sIQQ")
_TEXT_PLACE = struct.Struct("<QQII")
_CRC_START = 0xF597A6CF  # INITIAL_CRC
_UUID_ENDS = (6, 10, 14, 18, 22, 26, 32)


class Area(Struct, frozen=True):
    """Bytes of the physical volume."""

    offset: int
    length: int


class PvHeader(Struct, frozen=True):
    uuid: str
    metadata: tuple[Area, ...]


class TextPlace(Struct, frozen=True):
    """`offset` from the start of its area; the text may go round the ring once."""

    offset: int
    length: int
    checksum: int


def checksum(data: bytes) -> int:
    """CRC-32 without the last inversion, and with a start of its own."""
    return zlib.crc32(data, _CRC_START ^ 0xFFFFFFFF) ^ 0xFFFFFFFF


def parse_label(sector: bytes, number: int) -> PvHeader | None:
    """None for a sector without a label; raises where there is one that can't be believed."""
    name, own, crc, offset, kind = _LABEL.unpack_from(sector)
    if name != LABEL_ID or kind != LABEL_TYPE:
        return None
    if own != number or crc != checksum(sector[_LABEL_CHECKED:]):
        raise damaged("the label of the physical volume has a wrong checksum or place")
    if not _LABEL.size <= offset <= SECTOR - _PV_HEADER.size:
        raise damaged(f"the label of the physical volume leads to byte {offset}")
    raw_uuid, _ = _PV_HEADER.unpack_from(sector, offset)
    uuid = uuid_text(raw_uuid)
    if uuid is None:
        raise damaged("the physical volume has no UUID")
    at = offset + _PV_HEADER.size
    data = _areas(sector, at)
    metadata = _areas(sector, at + (len(data) + 1) * _AREA.size)
    return PvHeader(uuid, tuple(metadata))


def _areas(sector: bytes, at: int) -> list[Area]:
    """Up to the one that begins at 0."""
    found: list[Area] = []
    while at + _AREA.size <= len(sector) and len(found) <= MAX_AREAS:
        area = Area(*_AREA.unpack_from(sector, at))
        if area.offset == 0:
            return found
        found.append(area)
        at += _AREA.size
    raise damaged("the areas of the physical volume have no end")


def parse_area_header(data: bytes, area: Area) -> TextPlace | None:
    """Of a metadata area's first 512 bytes; None where the area holds no text that counts."""
    crc, magic, version, start, size = _AREA_HEADER.unpack_from(data)
    if magic != AREA_MAGIC or version != 1:
        raise damaged("no header in the metadata area")
    if crc != checksum(data[4:AREA_HEADER_SIZE]):
        raise damaged("the header of the metadata area has a wrong checksum")
    if (start, size) != (area.offset, area.length) or size <= AREA_HEADER_SIZE:
        raise damaged("the header of the metadata area is made for another place")
    offset, length, text_crc, flags = _TEXT_PLACE.unpack_from(data, _AREA_HEADER.size)
    if offset == 0 or length == 0 or flags & AREA_IGNORED:
        return None
    if not AREA_HEADER_SIZE <= offset < size or length > size - AREA_HEADER_SIZE:
        raise damaged(f"the metadata of {length} bytes at {offset} does not fit its area")
    return TextPlace(offset, length, text_crc)


def uuid_text(raw: bytes) -> str | None:
    """As lvm2 shows it: 32 letters and digits with dashes between."""
    text = raw.decode("ascii", "replace")
    if len(text) != _UUID_ENDS[-1] or not (text.isascii() and text.isalnum()):
        return None
    ends = zip((0, *_UUID_ENDS), _UUID_ENDS, strict=False)
    return "-".join(text[start:end] for start, end in ends)
