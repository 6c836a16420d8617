"""The bytes of VHDX, as [MS-VHDX] lays them out. Integers are little-endian.

0        file identifier          192 KiB  region table
64 KiB   header                   256 KiB  its copy
128 KiB  the other header         1 MiB    regions, log and blocks, each at a multiple of 1 MiB

One header is current: the sound one with the higher sequence number. Checksums are CRC-32C of the
whole structure, its checksum field taken as zeros.
"""

from __future__ import annotations

import struct
import uuid

from diskwright._values import Struct
from diskwright.formats.crc32c import crc32c
from diskwright.model.units import GIB, KIB, MIB, TIB

ALIGNMENT = 1 * MIB
HEADER_SECTION_BYTES = 1 * MIB

IDENTIFIER = b"vhdxfile"
CREATOR_AT = 8
CREATOR_BYTES = 512

HEADER_OFFSETS = (64 * KIB, 128 * KIB)
HEADER_BYTES = 4 * KIB
HEADER_SIGNATURE = b"head"
# signature, checksum, sequence number, three GUIDs, log version, version, log length, log offset
_HEADER = struct.Struct("<4sIQ16s16s16sHHIQ")
VERSION = 1
LOG_VERSION = 0

REGION_OFFSETS = (192 * KIB, 256 * KIB)
REGION_BYTES = 64 * KIB
REGION_SIGNATURE = b"regi"
REGIONS_MAX = 2_047
_REGION_HEAD = struct.Struct("<4sIII")  # signature, checksum, entries, reserved
_REGION = struct.Struct("<16sQII")  # GUID, offset, length, required
BAT = uuid.UUID("2dc27766-f623-4200-9d64-115e9bfd4a08").bytes_le
METADATA = uuid.UUID("8b7ca206-4790-4b9a-b8fe-575f050f886e").bytes_le

METADATA_TABLE_BYTES = 64 * KIB
METADATA_SIGNATURE = b"metadata"
ITEMS_MAX = 2_047
_METADATA_HEAD = struct.Struct("<8sHH20x")  # signature, reserved, entries, reserved
_ITEM = struct.Struct("<16sIIII")  # GUID, offset in the region, length, flags, reserved
ITEM_REQUIRED = 1 << 2
FILE_PARAMETERS = uuid.UUID("caa16737-fa36-4d43-b3b6-33f0aa44e76b").bytes_le
VIRTUAL_SIZE = uuid.UUID("2fa54224-cd1b-4876-b211-5dbed83bf4b8").bytes_le
LOGICAL_SECTOR = uuid.UUID("8141bf1d-a96f-4709-ba47-f233a8faab5f").bytes_le
PHYSICAL_SECTOR = uuid.UUID("cda348c7-445d-4471-9cc9-e9885251c556").bytes_le
PAGE_83 = uuid.UUID("beca12ab-b2e6-4523-93ef-c309e000c746").bytes_le
PARENT_LOCATOR = uuid.UUID("a8d35f2d-b30b-454d-abf7-d3d84834ab0c").bytes_le
# Of each item that every file has, as Python's struct spells it.
ITEM_LAYOUTS = {
    FILE_PARAMETERS: struct.Struct("<II"),  # block size, flags
    VIRTUAL_SIZE: struct.Struct("<Q"),
    LOGICAL_SECTOR: struct.Struct("<I"),
    PHYSICAL_SECTOR: struct.Struct("<I"),
    PAGE_83: struct.Struct("<16s"),
}
LEAVE_BLOCKS_ALLOCATED = 1 << 0
HAS_PARENT = 1 << 1

# type GUID, reserved, pairs; then key offset, value offset, key length, value length of each
_LOCATOR_HEAD = struct.Struct("<16sHH")
_LOCATOR_PAIR = struct.Struct("<IIHH")
PARENT_PATHS = ("absolute_win32_path", "relative_path", "volume_path")

BLOCK_MIN = 1 * MIB
BLOCK_MAX = 256 * MIB
SIZE_MAX = 64 * TIB
SECTOR_SIZES = (512, 4096)
CHUNK_BYTES = 4 * GIB  # what one block of sector bitmaps covers, with sectors of 512 bytes

ENTRY_BYTES = 8
STATE_MASK = 0b111
RESERVED_MASK = 0xFFFF8
OFFSET_SHIFT = 20  # of the offset, in MiB
# Not present, undefined, zero, unmapped: read as zeros.
STATES_WITHOUT_DATA = (0, 1, 2, 3)
FULLY_PRESENT = 6


class Header(Struct, frozen=True):
    sequence: int
    log_guid: bytes
    log_version: int
    version: int
    log_length: int
    log_offset: int


class Region(Struct, frozen=True):
    guid: bytes
    offset: int
    length: int
    required: int

    @property
    def end(self) -> int:
        return self.offset + self.length


class Item(Struct, frozen=True):
    guid: bytes
    offset: int
    length: int
    flags: int


class Disk(Struct, frozen=True):
    """What the metadata says."""

    virtual_size: int
    block_size: int
    fixed: bool

    @property
    def blocks(self) -> int:
        return -(-self.virtual_size // self.block_size)

    @property
    def chunk(self) -> int:
        """So many entries for blocks come between two for sector bitmaps."""
        return CHUNK_BYTES // self.block_size

    @property
    def entries(self) -> int:
        return self.blocks + (self.blocks - 1) // self.chunk


def sound(data: bytes, signature: bytes) -> bool:
    """Whether `data` begins with `signature`, and its checksum holds."""
    if not data.startswith(signature):
        return False
    register = crc32c(0xFFFFFFFF, data[:4] + bytes(4) + data[8:])
    return register ^ 0xFFFFFFFF == int.from_bytes(data[4:8], "little")


def decode_header(data: bytes) -> Header:
    _, _, sequence, _, _, log_guid, *rest = _HEADER.unpack_from(data)
    return Header(sequence, log_guid, *rest)


def region_count(data: bytes) -> int:
    count: int = _REGION_HEAD.unpack_from(data)[2]
    return count


def decode_regions(data: bytes) -> tuple[Region, ...]:
    """`data` is a whole table, of at most REGIONS_MAX entries."""
    end = _REGION_HEAD.size + region_count(data) * _REGION.size
    return tuple(Region(*fields) for fields in _REGION.iter_unpack(data[_REGION_HEAD.size : end]))


def item_count(data: bytes) -> int:
    count: int = _METADATA_HEAD.unpack_from(data)[2]
    return count


def decode_items(data: bytes) -> tuple[Item, ...]:
    """`data` is a whole table, of at most ITEMS_MAX entries."""
    end = _METADATA_HEAD.size + item_count(data) * _ITEM.size
    found = _ITEM.iter_unpack(data[_METADATA_HEAD.size : end])
    return tuple(Item(guid, offset, length, flags) for guid, offset, length, flags, _ in found)


def decode_parent(data: bytes) -> str:
    """The parent's path in a parent locator; empty where none can be had."""
    if len(data) < _LOCATOR_HEAD.size:
        return ""
    pairs = _LOCATOR_HEAD.unpack_from(data)[2]
    end = _LOCATOR_HEAD.size + pairs * _LOCATOR_PAIR.size
    if end > len(data):
        return ""
    known: dict[str, str] = {}
    for key_at, value_at, key_bytes, value_bytes in _LOCATOR_PAIR.iter_unpack(
        data[_LOCATOR_HEAD.size : end]
    ):
        key = data[key_at : key_at + key_bytes].decode("utf-16-le", "replace")
        known[key] = data[value_at : value_at + value_bytes].decode("utf-16-le", "replace")
    return next((known[path] for path in PARENT_PATHS if path in known), "")
