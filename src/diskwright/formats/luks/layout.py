"""The bytes of LUKS headers, big-endian: the on-disk format specifications of cryptsetup.

LUKS1  0 header with eight key slots, 592 bytes
LUKS2  0 binary header, 4 KiB   4096 JSON area, to the header's size   then both once more
"""

from __future__ import annotations

import struct

from diskwright._values import Struct

MAGIC = b"LUKS\xba\xbe"
_VERSION = struct.Struct(">6sH")

_LUKS1 = struct.Struct(">6sH32s32s32sII20s32sI40s")
_SLOT = struct.Struct(">II32sII")
SLOTS = 8
SLOT_USED = 0x00AC71F3
SLOT_FREE = 0x0000DEAD
LUKS1_BYTES = _LUKS1.size + SLOTS * _SLOT.size

_LUKS2 = struct.Struct(">6sHQQ48s32s64s40s48sQ184x64s")
LUKS2_BINARY_BYTES = 4096
LUKS2_HEADER_BYTES = tuple(1 << bits for bits in range(14, 23))  # 16 KiB to 4 MiB, section 2.1
CHECKSUM_AT = 448
CHECKSUM_BYTES = 64


class Slot1(Struct, frozen=True):
    active: int
    offset: int  # of the key material, in sectors
    stripes: int


class Header1(Struct, frozen=True):
    cipher: str
    mode: str
    hash: str
    payload_offset: int  # in sectors
    key_bytes: int
    uuid: str
    slots: tuple[Slot1, ...]


class Header2(Struct, frozen=True):
    header_bytes: int  # the binary header and the JSON area
    label: str
    checksum_name: str
    uuid: str
    offset: int  # of this header itself
    checksum: bytes


def decode_version(data: bytes) -> int | None:
    """The version, or None where `data` does not begin with a LUKS header."""
    if len(data) < _VERSION.size or not data.startswith(MAGIC):
        return None
    return int(_VERSION.unpack_from(data)[1])


def decode_1(data: bytes) -> Header1 | None:
    if len(data) < LUKS1_BYTES:
        return None
    _, _, cipher, mode, name, payload, key, _, _, _, uuid = _LUKS1.unpack_from(data)
    slots = []
    for index in range(SLOTS):
        at = _LUKS1.size + index * _SLOT.size
        active, _, _, offset, stripes = _SLOT.unpack_from(data, at)
        slots.append(Slot1(active, offset, stripes))
    return Header1(_text(cipher), _text(mode), _text(name), payload, key, _text(uuid), tuple(slots))


def decode_2(data: bytes) -> Header2 | None:
    if len(data) < LUKS2_BINARY_BYTES:
        return None
    _, _, size, _, label, name, _, uuid, _, offset, checksum = _LUKS2.unpack_from(data)
    return Header2(size, _text(label), _text(name), _text(uuid), offset, checksum)


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("utf-8", "replace")
