"""The tables of a qcow2 file: where they lie, that they lie apart, and what the L1 table names.

Every cluster of metadata is claimed once. Two claims of one cluster, or a claim and guest data in
one cluster, are `metadata-overlap`: a reader would take one for the other.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence

from diskwright.formats import limits
from diskwright.formats.lanes import Lanes
from diskwright.formats.qcow2 import layout
from diskwright.formats.qcow2.layout import Header
from diskwright.formats.source import ImageSource
from diskwright.model.units import format_size, round_up

_OVERLAP = "metadata-overlap"


class Claims:
    """The clusters that hold metadata, by offset. The header's own, at 0, is always taken."""

    def __init__(self, cluster_size: int) -> None:
        self._cluster_size = cluster_size
        self._taken: set[int] = set()

    def add(self, offsets: Sequence[int]) -> int | None:
        """Claim each cluster; returns the first that is taken already, or None."""
        if 0 not in offsets and self._taken.isdisjoint(offsets):
            before = len(self._taken)
            self._taken.update(offsets)
            if len(self._taken) == before + len(offsets):
                return None
            self._taken.difference_update(offsets)
        for offset in offsets:
            if offset == 0 or offset in self._taken:
                return offset
            self._taken.add(offset)
        raise AssertionError("one of them is taken")

    def add_range(self, offset: int, length: int) -> int | None:
        end = round_up(offset + length, self._cluster_size)
        return self.add(range(offset, end, self._cluster_size))

    def touch(self, offsets: Iterable[int]) -> bool:
        """Whether one of `offsets`, each of a cluster and 0 for none, is claimed."""
        return not self._taken.isdisjoint(offsets)


class Tables:
    """L2 tables in use, in guest order: `indices[i]` is the L1 entry that names `offsets[i]`."""

    def __init__(self) -> None:
        self.indices = array("Q")
        self.offsets = array("Q")


def read_tables(source: ImageSource, header: Header) -> tuple[Tables, Claims]:
    """Refcount table, snapshots and L1 table, checked; what guest data must stay clear of."""
    claims = Claims(header.cluster_size)
    _check_counts(source, header)
    _claim_table(
        source,
        claims,
        header,
        "the refcount table",
        header.refcount_offset,
        header.refcount_clusters * header.cluster_size,
        48,
    )
    l1_bytes = header.l1_entries * layout.ENTRY_BYTES
    _claim_table(source, claims, header, "the L1 table", header.l1_offset, l1_bytes, 40)
    _claim_refcount_blocks(source, claims, header)
    tables = _read_l1(source, claims, header)
    return tables, claims


def _check_counts(source: ImageSource, header: Header) -> None:
    l1_bytes = header.l1_entries * layout.ENTRY_BYTES
    if l1_bytes > limits.QCOW2_L1_BYTES:
        detail = f"an L1 table of {format_size(l1_bytes)}"
        raise source.broken("table-too-large", detail, 36)
    if header.l1_entries < header.l1_entries_needed:
        detail = (
            f"an L1 table of {header.l1_entries} entries where "
            f"{format_size(header.virtual_size)} need {header.l1_entries_needed}"
        )
        raise source.broken("table-too-small", detail, 36)
    refcount_bytes = header.refcount_clusters * header.cluster_size
    if refcount_bytes > limits.QCOW2_REFCOUNT_TABLE_BYTES:
        detail = f"a refcount table of {format_size(refcount_bytes)}"
        raise source.broken("table-too-large", detail, 56)
    if not header.refcount_clusters:
        raise source.broken("header-inconsistent", "it has no refcount table", 56)


def _claim_table(
    source: ImageSource,
    claims: Claims,
    header: Header,
    what: str,
    offset: int,
    length: int,
    field: int,
) -> None:
    """Claims `[offset, offset + length)`; `field` is where the file says so."""
    if offset % header.cluster_size:
        raise source.broken("offset-unaligned", f"{what} does not start at a cluster", field)
    if offset + length > source.size:
        raise source.past_end(f"{what} is past the end", field)
    taken = claims.add_range(offset, length)
    if taken is not None:
        raise source.broken(_OVERLAP, f"{what} lies on other metadata, at byte {taken}", field)


def claim_snapshot_l1(
    source: ImageSource, claims: Claims, header: Header, offset: int, entries: int, field: int
) -> None:
    """A snapshot's L1 table. Its L2 tables are shared with the active state, and not read."""
    length = entries * layout.ENTRY_BYTES
    if length > limits.QCOW2_L1_BYTES:
        detail = f"a snapshot's L1 table of {format_size(length)}"
        raise source.broken("table-too-large", detail, field)
    _claim_table(source, claims, header, "a snapshot's L1 table", offset, length, field)


def claim_snapshot_table(source: ImageSource, claims: Claims, header: Header, length: int) -> None:
    offset = header.snapshot_offset
    _claim_table(source, claims, header, "the snapshot table", offset, length, 64)


def _claim_refcount_blocks(source: ImageSource, claims: Claims, header: Header) -> None:
    length = header.refcount_clusters * header.cluster_size
    for at, piece in source.pieces(header.refcount_offset, length):
        blocks = _entries(
            source, header, at, piece, layout.REFCOUNT_RESERVED, "refcount table", "refcount block"
        )
        taken = claims.add(list(blocks.values()))
        if taken is not None:
            detail = f"a refcount block lies on other metadata, at byte {taken}"
            raise source.broken(_OVERLAP, detail, at)


def _read_l1(source: ImageSource, claims: Claims, header: Header) -> Tables:
    tables = Tables()
    length = header.l1_entries * layout.ENTRY_BYTES
    for at, piece in source.pieces(header.l1_offset, length):
        found = _entries(source, header, at, piece, layout.L1_RESERVED, "L1 table", "L2 table")
        offsets = list(found.values())
        taken = claims.add(offsets)
        if taken is not None:
            detail = f"an L2 table lies on other metadata, at byte {taken}"
            raise source.broken(_OVERLAP, detail, at)
        base = (at - header.l1_offset) // layout.ENTRY_BYTES
        tables.indices.extend(base + index for index in found)
        tables.offsets.extend(offsets)
        _check_budget(source, header, len(tables.offsets))
    return tables


def _check_budget(source: ImageSource, header: Header, count: int) -> None:
    length = count * header.cluster_size
    if count > limits.QCOW2_L2_TABLES or length > limits.QCOW2_L2_BYTES:
        detail = f"more than {count - 1} L2 tables, {format_size(length)}"
        raise source.unsupported("table-too-large", detail, 40)


def _entries(
    source: ImageSource,
    header: Header,
    at: int,
    piece: bytes,
    reserved: int,
    table: str,
    target: str,
) -> dict[int, int]:
    """Index in `piece` -> offset of a whole, aligned cluster in the file, for entries in use."""
    if piece == bytes(len(piece)):
        return {}
    lanes = Lanes(len(piece) // layout.ENTRY_BYTES)
    words = int.from_bytes(piece)
    bad = words & lanes.each(reserved)
    if bad:
        where = at + layout.ENTRY_BYTES * lanes.first(bad)
        raise source.broken("reserved-bits", f"reserved bits in the {table}", where)
    copied = 0 if reserved == layout.REFCOUNT_RESERVED else layout.COPIED
    found = {index: word & ~copied for index, word in enumerate(lanes.unpack(words)) if word}
    for index, offset in found.items():
        where = at + layout.ENTRY_BYTES * index
        if offset % header.cluster_size:
            raise source.broken("offset-unaligned", f"a {target} not at a cluster", where)
        if offset + header.cluster_size > source.size:
            raise source.past_end(f"a {target} is past the end", where)
    return found
