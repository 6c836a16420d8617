"""The bytes of qcow2, as QEMU's docs/interop/qcow2.txt lays them out. Integers are big-endian.

0   header       magic, version, where everything else is (72 bytes in version 2)
72  version 3    feature bits, refcount order, header length, compression type
..  extensions   type, length, data padded to 8; type 0 ends them
..  backing name all of it within the first cluster

virtual offset -> L1 entry -> L2 table (one cluster) -> L2 entry -> host cluster
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from diskwright._values import Struct

HEADER_V2_BYTES = 72
HEADER_V3_BYTES = 104
_V2 = struct.Struct(">4sIQIIQIIQQIIQ")
_V3 = struct.Struct(">QQQII")
_COMPRESSION_TYPE_AT = 104

CLUSTER_BITS_MIN = 9
CLUSTER_BITS_MAX = 21
CLUSTER_BITS_SANE = 31  # above it is no cluster size at all, rather than one not supported
EXTENDED_L2_CLUSTER_BITS_MIN = 14  # 32 subclusters of at least 512 bytes
SUBCLUSTERS = 32
ENTRY_BYTES = 8

INCOMPATIBLE_DIRTY = 1 << 0
INCOMPATIBLE_CORRUPT = 1 << 1
INCOMPATIBLE_DATA_FILE = 1 << 2
INCOMPATIBLE_COMPRESSION = 1 << 3
INCOMPATIBLE_EXTENDED_L2 = 1 << 4
INCOMPATIBLE_KNOWN = (1 << 5) - 1
COMPATIBLE_LAZY_REFCOUNTS = 1 << 0
AUTOCLEAR_BITMAPS = 1 << 0

CRYPT_NONE = 0
CRYPT_AES = 1
CRYPT_LUKS = 2
COMPRESSION_NAMES = ("zlib", "zstd")
REFCOUNT_ORDER_MAX = 6

EXTENSION_END = 0
EXTENSION_BITMAPS = 0x23852875
EXTENSION_ENCRYPTION = 0x0537BE77
EXTENSION_BACKING_FORMAT = 0xE2792ACA
EXTENSION_DATA_FILE = 0x44415441
EXTENSIONS_READ = frozenset(
    {
        EXTENSION_BITMAPS,
        EXTENSION_ENCRYPTION,
        EXTENSION_BACKING_FORMAT,
        EXTENSION_DATA_FILE,
    }
)
EXTENSION_HEAD = struct.Struct(">II")  # type, length
BITMAPS = struct.Struct(">IIQQ")  # count, reserved, directory size, directory offset

COPIED = 1 << 63
COMPRESSED = 1 << 62
ZERO = 1 << 0  # version 3, without extended L2 entries
OFFSET_MASK = 0x00FF_FFFF_FFFF_FE00
L1_RESERVED = 0x7F00_0000_0000_01FF
L2_RESERVED = 0x3F00_0000_0000_01FE
REFCOUNT_RESERVED = 0x1FF  # the offset has bits 9 to 63

# L1 offset, L1 size, id and name lengths, date s and ns, VM clock, VM state size, extra size
SNAPSHOT = struct.Struct(">QIHHIIQII")


class Header(Struct, frozen=True):
    """The fixed fields. Sizes and offsets in bytes, but for the counts of entries and clusters."""

    version: int
    backing_offset: int
    backing_length: int
    cluster_bits: int
    virtual_size: int
    crypt_method: int
    l1_entries: int
    l1_offset: int
    refcount_offset: int
    refcount_clusters: int
    snapshot_count: int
    snapshot_offset: int
    incompatible: int = 0
    compatible: int = 0
    autoclear: int = 0
    refcount_order: int = 4
    length: int = HEADER_V2_BYTES
    compression: int = 0

    @property
    def cluster_size(self) -> int:
        return 1 << self.cluster_bits

    @property
    def extended_l2(self) -> bool:
        return bool(self.incompatible & INCOMPATIBLE_EXTENDED_L2)

    @property
    def l2_entry_bytes(self) -> int:
        return 2 * ENTRY_BYTES if self.extended_l2 else ENTRY_BYTES

    @property
    def l2_entries(self) -> int:
        return self.cluster_size // self.l2_entry_bytes

    @property
    def l1_entries_needed(self) -> int:
        return -(-self.virtual_size // (self.cluster_size * self.l2_entries))

    @property
    def compressed_offset_bits(self) -> int:
        """A compressed entry's low bits are its offset, the others up to bit 61 its sectors."""
        return 62 - (self.cluster_bits - 8)


class Extension(NamedTuple):
    kind: int
    offset: int  # of its data
    data: bytes


def decode_header(data: bytes) -> Header | None:
    """The header that `data` begins with, or None where bytes are missing. Nothing is judged."""
    if len(data) < HEADER_V2_BYTES:
        return None
    fields: tuple[int, ...] = _V2.unpack_from(data)[1:]
    version = fields[0]
    if version < 3:
        return Header(*fields)
    if len(data) < HEADER_V3_BYTES:
        return None
    features: tuple[int, ...] = _V3.unpack_from(data, HEADER_V2_BYTES)
    has_type = features[-1] > _COMPRESSION_TYPE_AT and len(data) > _COMPRESSION_TYPE_AT
    fields = (*fields, *features, data[_COMPRESSION_TYPE_AT] if has_type else 0)
    return Header(*fields)
