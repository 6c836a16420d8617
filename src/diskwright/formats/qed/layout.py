"""The bytes of QED, as QEMU's docs/interop/qed_spec.txt lays them out. Integers are little-endian.

0    header        64 bytes in `header_clusters` clusters, where a backing file's name lies too
..   L1 table      `table_clusters` clusters, like every L2 table

virtual offset -> L1 entry -> L2 table -> L2 entry -> cluster in the file
"""

from __future__ import annotations

import struct

from diskwright._values import Struct

_HEADER = struct.Struct("<4sIIIQQQQQII")
HEADER_BYTES = _HEADER.size
ENTRY_BYTES = 8

CLUSTER_BYTES_MIN = 1 << 12
CLUSTER_BYTES_MAX = 1 << 26
TABLE_CLUSTERS_MAX = 16

FEATURE_BACKING = 1 << 0
FEATURE_NEEDS_CHECK = 1 << 1
FEATURE_BACKING_RAW = 1 << 2
FEATURES_KNOWN = (1 << 3) - 1

UNALLOCATED = 0
ZERO = 1  # in an L2 table alone


class Header(Struct, frozen=True):
    """The fixed fields. Offsets and sizes in bytes, but for the counts of clusters."""

    cluster_size: int
    table_clusters: int
    header_clusters: int
    features: int
    compatible: int
    autoclear: int
    l1_offset: int
    virtual_size: int
    backing_offset: int
    backing_length: int

    @property
    def table_bytes(self) -> int:
        return self.table_clusters * self.cluster_size

    @property
    def table_entries(self) -> int:
        return self.table_bytes // ENTRY_BYTES

    @property
    def header_bytes(self) -> int:
        return self.header_clusters * self.cluster_size


def decode_header(data: bytes) -> Header | None:
    """The header that `data` begins with, or None where bytes are missing. Nothing is judged."""
    if len(data) < HEADER_BYTES:
        return None
    fields: tuple[int, ...] = _HEADER.unpack_from(data)[1:]
    return Header(*fields)
