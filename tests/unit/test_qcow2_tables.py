"""The tables by the letter of the specification, read back by other lines than those that wrote."""

from __future__ import annotations

import struct

import pytest

from diskwright.model.units import round_up
from diskwright.writers.qcow2_tables import CLUSTER, L2_SPAN, Tables, table_clusters
from support.disks import assemble

COMPRESSED = 1 << 62


def file_of(tables: Tables, position: int) -> bytes:
    return assemble(tables.chunks(position))


def entry(file: bytes, cluster: int) -> int:
    l1 = struct.unpack_from(">Q", file, 40)[0]
    l2 = struct.unpack_from(">Q", file, l1 + cluster // 8192 * 8)[0] & ((1 << 56) - 512)
    return int(struct.unpack_from(">Q", file, l2 + cluster % 8192 * 8)[0]) if l2 else 0


def refcounts(file: bytes) -> list[int]:
    table, clusters = struct.unpack_from(">QI", file, 48)
    counts: list[int] = []
    for block in struct.unpack_from(
        f">{clusters * 8192}Q", file.ljust(table + clusters * CLUSTER), table
    ):
        if block:
            counts += struct.unpack_from(">32768H", file, block)
    return counts


@pytest.mark.parametrize(
    ("offset", "length", "sectors"),
    [
        (CLUSTER, 1, 1),
        (CLUSTER, 512, 1),
        (CLUSTER, 513, 2),
        (CLUSTER + 511, 1, 1),
        (CLUSTER + 511, 2, 2),
        (CLUSTER + 100, 412, 1),
        (CLUSTER, CLUSTER - 1, 128),
        (2 * CLUSTER - 1, CLUSTER - 1, 129),
        (2 * CLUSTER - 512, 512, 1),
    ],
)
def test_a_compressed_cluster_counts_the_sectors_it_touches(
    offset: int, length: int, sectors: int
) -> None:
    tables = Tables(CLUSTER)
    tables.add_compressed(0, offset, length)
    file = file_of(tables, offset + length)
    assert entry(file, 0) == COMPRESSED | (sectors - 1) << 54 | offset
    touched = {at // CLUSTER for at in range(offset, offset + length)}
    assert {n for n, count in enumerate(refcounts(file)) if count} >= touched
    assert len(file) % CLUSTER == 0


def test_a_host_cluster_counts_all_that_touch_it() -> None:
    tables = Tables(8 * CLUSTER)
    position = CLUSTER
    for cluster in range(3):
        tables.add_compressed(cluster, position, CLUSTER // 2 + 100)
        position += CLUSTER // 2 + 100
    tables.add_plain(5, 3 * CLUSTER)
    file = file_of(tables, 4 * CLUSTER)
    # header | 1st and a part of 2nd | rest of 2nd and 3rd | plain | L2 | L1 | table | block
    assert refcounts(file)[:9] == [1, 2, 2, 1, 1, 1, 1, 1, 0]
    assert not any(refcounts(file)[8:])
    assert len(file) == 8 * CLUSTER
    assert entry(file, 5) == 1 << 63 | 3 * CLUSTER
    assert [entry(file, n) for n in (3, 4, 6, 7)] == [0] * 4


def test_each_l2_table_maps_its_512_mib() -> None:
    tables = Tables(5 * L2_SPAN)
    places = {0: 1, 8191: 2, 8192: 3, 3 * 8192 + 7: 4}
    for cluster, host in places.items():
        tables.add_plain(cluster, host * CLUSTER)
    file = file_of(tables, 5 * CLUSTER)
    for cluster in (0, 1, 8191, 8192, 8193, 2 * 8192, 3 * 8192 + 7, 4 * 8192 + 7):
        host = places.get(cluster)
        assert entry(file, cluster) == (1 << 63 | host * CLUSTER if host else 0)


@pytest.mark.parametrize(
    "data", [1, 2, 32_764, 32_765, 32_766, 32_767, 32_768, 32_769, 65_530, 65_532]
)
def test_the_file_is_as_long_as_was_computed(data: int) -> None:
    """Around the file sizes that need one more refcount block (2 GiB each)."""
    tables = Tables(CLUSTER)
    tables.add_plain(0, (data - 1) * CLUSTER) if data > 1 else None
    chunks = list(tables.chunks(data * CLUSTER))
    end = max(chunk.offset + len(chunk.data) for chunk in chunks)
    assert round_up(end, CLUSTER) == end == CLUSTER * table_clusters(data, int(data > 1), CLUSTER)
