"""Byte layout of the qcow2 files that are written here (QEMU docs/interop/qcow2.txt, version 3).

Clusters of 64 KiB, refcounts of 16 bits, in this order:

    0        header cluster                        emitted last: it alone points to the rest
    64 KiB   data, plain or compressed
             L2 tables, those that map something   8192 entries: 512 MiB of the disk each
             L1 table                              one entry for each L2 table
             refcount table
             refcount blocks                       32768 entries: 2 GiB of the file each

A plain cluster takes a host cluster of its own. Compressed ones follow each other byte by byte;
their L2 entry counts the 512-byte sectors that they touch, and each host cluster counts all the
compressed ones that touch it.
"""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Iterator

from diskwright._values import Struct
from diskwright.formats.deflate import pack, unpack
from diskwright.model.stored import Chunk
from diskwright.model.units import SECTOR, round_up

CLUSTER_BITS = 16
CLUSTER = 1 << CLUSTER_BITS
L2_ENTRIES = CLUSTER // 8
L2_SPAN = L2_ENTRIES * CLUSTER
_BLOCK_ENTRIES = CLUSTER // 2

_COPIED = 1 << 63  # the host cluster has refcount 1
_COMPRESSED = 1 << 62
_ZERO = 1  # reads as zeros, whatever lies beneath; version 3
_SECTORS_SHIFT = 62 - (CLUSTER_BITS - 8)

_HEADER = struct.Struct(
    ">4s I"  # magic, version
    "Q I"  # backing file: offset, size of its name
    "I Q I"  # cluster bits, virtual size, encryption
    "I Q"  # L1: entries, offset
    "Q I"  # refcount table: offset, clusters
    "I Q"  # snapshots: number, offset
    "Q Q Q"  # features: incompatible, compatible, autoclear
    "I I"  # refcount order (2^4 bits), header length
    "B 7x"  # compression type: 0, deflate
)
_HEADER_LENGTH = _HEADER.size
_EXTENSION = struct.Struct(">I I")  # type, length; all zeros: the last one
_BACKING_FORMAT = 0xE2792ACA


class Backing(Struct, frozen=True):
    """What is read where a file maps nothing: an absolute path, and qemu's name of its format."""

    path: bytes
    driver: str


def table_clusters(data_clusters: int, l2_tables: int, virtual_size: int) -> int:
    """Host clusters of the whole file, given those of the header and the data together."""
    used = data_clusters + l2_tables + _l1_clusters(virtual_size)
    return used + sum(_refcount_clusters(used))


class Tables:
    """Learns where guest clusters went, then writes down the tables and the header.

    Guest clusters and host offsets are added ascending. A finished L2 table is kept deflated: one
    that maps little takes little, so memory is bounded by what is mapped, not by the disk's size.
    """

    def __init__(self, virtual_size: int, *, backing: Backing | None = None) -> None:
        self._size = virtual_size
        self._backing = backing
        self._refcounts = array("H", [1])  # the header
        self._finished: dict[int, bytes] = {}
        self._number = 0
        self._open = _entries(L2_ENTRIES)
        self._mapped = False

    def add_plain(self, cluster: int, offset: int) -> None:
        """Guest cluster number `cluster` lies whole at `offset`, which is aligned."""
        self._count(offset, CLUSTER)
        self._map(cluster, _COPIED | offset)

    def add_compressed(self, cluster: int, offset: int, length: int) -> None:
        self._count(offset, length)
        more_sectors = (offset + length - 1) // SECTOR - offset // SECTOR
        self._map(cluster, _COMPRESSED | more_sectors << _SECTORS_SHIFT | offset)

    def add_zero(self, cluster: int) -> None:
        """It reads as zeros, whatever lies beneath, and takes no room."""
        self._map(cluster, _ZERO)

    def chunks(self, position: int) -> Iterator[Chunk]:
        """Tables from the first cluster border at or after `position`, and the header last."""
        self._finish_table()
        position = round_up(position, CLUSTER)
        l1 = _entries(-(-self._size // L2_SPAN))
        for number, packed in self._finished.items():
            yield Chunk(position, unpack(packed))
            l1[number] = _COPIED | position
            position += CLUSTER
        l1_offset = position
        yield Chunk(position, _big_endian(l1))
        position += _l1_clusters(self._size) * CLUSTER

        table_size, blocks = _refcount_clusters(position // CLUSTER)
        table_offset = position
        position += table_size * CLUSTER
        yield Chunk(
            table_offset,
            _big_endian(array("Q", range(position, position + blocks * CLUSTER, CLUSTER))),
        )
        yield from self._refcount_blocks(position, blocks)
        yield Chunk(0, self._header(l1_offset, len(l1), table_offset, table_size))

    def _refcount_blocks(self, position: int, blocks: int) -> Iterator[Chunk]:
        # all that lies behind the data (tables, and these blocks themselves) is used once
        end = position // CLUSTER + blocks
        self._refcounts.extend([1] * (end - len(self._refcounts)))
        self._refcounts.extend([0] * (blocks * _BLOCK_ENTRIES - end))
        for first in range(0, len(self._refcounts), _BLOCK_ENTRIES):
            block = self._refcounts[first : first + _BLOCK_ENTRIES]
            yield Chunk(position + first * 2, _big_endian(block))

    def _header(self, l1: int, l1_entries: int, table: int, table_size: int) -> bytes:
        extensions, name = _EXTENSION.pack(0, 0), b""
        if self._backing is not None:
            driver, name = self._backing.driver.encode(), self._backing.path
            padded = driver.ljust(round_up(len(driver), 8), b"\0")
            extensions = _EXTENSION.pack(_BACKING_FORMAT, len(driver)) + padded + extensions
        name_at = _HEADER_LENGTH + len(extensions) if name else 0
        return _HEADER.pack(
            b"QFI\xfb", 3, name_at, len(name), CLUSTER_BITS, self._size, 0, l1_entries, l1, table,
            table_size, 0, 0, 0, 0, 0, 4, _HEADER_LENGTH, 0,
        ) + extensions + name  # fmt: skip

    def _map(self, cluster: int, entry: int) -> None:
        number, index = divmod(cluster, L2_ENTRIES)
        if number != self._number:
            self._finish_table()
            self._number = number
        self._open[index] = entry
        self._mapped = True

    def _finish_table(self) -> None:
        if self._mapped:
            self._finished[self._number] = pack(_big_endian(self._open))
            self._open = _entries(L2_ENTRIES)
            self._mapped = False

    def _count(self, offset: int, length: int) -> None:
        first, last = offset // CLUSTER, (offset + length - 1) // CLUSTER
        if last >= len(self._refcounts):
            self._refcounts.extend([0] * (last + 1 - len(self._refcounts)))
        for host in range(first, last + 1):
            self._refcounts[host] += 1


def _entries(count: int) -> array[int]:
    return array("Q", bytes(8 * count))


def _big_endian(values: array[int]) -> bytes:
    if sys.byteorder == "little":
        values.byteswap()
    return values.tobytes()


def _l1_clusters(virtual_size: int) -> int:
    return -(-virtual_size // L2_SPAN * 8 // CLUSTER)


def _refcount_clusters(used: int) -> tuple[int, int]:
    """Clusters of the refcount table, and blocks, for a file of `used` clusters without them."""
    table = blocks = 0
    while True:
        needed = -(-(used + table + blocks) // _BLOCK_ENTRIES)
        needed_table = -(-needed * 8 // CLUSTER)
        if (needed_table, needed) == (table, blocks):
            return table, blocks
        table, blocks = needed_table, needed
