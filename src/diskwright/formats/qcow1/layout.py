"""The bytes of qcow version 1, as QEMU's block/qcow.c lays them out. Integers are big-endian.

0    header       48 bytes; the backing file's name and the L1 table stand anywhere behind it
..   L1 table     as many entries as the virtual size needs
..   L2 table     2^l2_bits entries

standard    63 0   62..0 offset of a cluster; 0 for none
compressed  63 1   62..63-cluster_bits its length in bytes   62-cluster_bits..0 its offset
"""

from __future__ import annotations

import struct

from diskwright._values import Struct

_HEADER = struct.Struct(">4sIQIIQBBHIQ")
HEADER_BYTES = _HEADER.size
ENTRY_BYTES = 8

CLUSTER_BITS_MIN = 9
CLUSTER_BITS_MAX = 16
L2_BITS_MIN = 6  # a table of 512 bytes ...
L2_BITS_MAX = 13  # ... to 64 KiB

CRYPT_NONE = 0
CRYPT_AES = 1
COMPRESSED = 1 << 63


class Header(Struct, frozen=True):
    """The fixed fields. Sizes and offsets in bytes."""

    version: int
    backing_offset: int
    backing_length: int
    modified: int
    virtual_size: int
    cluster_bits: int
    l2_bits: int
    padding: int
    crypt_method: int
    l1_offset: int

    @property
    def cluster_size(self) -> int:
        return 1 << self.cluster_bits

    @property
    def l1_bytes(self) -> int:
        covered = 1 << (self.cluster_bits + self.l2_bits)
        return -(-self.virtual_size // covered) * ENTRY_BYTES

    @property
    def l2_bytes(self) -> int:
        return ENTRY_BYTES << self.l2_bits

    @property
    def compressed_offset_bits(self) -> int:
        return 63 - self.cluster_bits


def decode_header(data: bytes) -> Header | None:
    """The header that `data` begins with, or None where bytes are missing. Nothing is judged."""
    if len(data) < HEADER_BYTES:
        return None
    fields: tuple[int, ...] = _HEADER.unpack_from(data)[1:]
    return Header(*fields)
