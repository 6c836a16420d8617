"""What the L2 tables of a qcow2 file name, some thousand entries at a time.

standard    63 copied  62 0  55..9 host offset                    0 reads as zeros (version 3)
compressed  63 0       62 1  61..x sectors more  x-1..0 host offset
extended    a second word follows: bit n subcluster n is stored, bit 32 + n it reads as zeros
"""

from __future__ import annotations

from diskwright.formats.lanes import Lanes
from diskwright.formats.limits import READ_PIECE
from diskwright.formats.qcow2 import layout
from diskwright.formats.qcow2.layout import Header
from diskwright.formats.qcow2.tables import Claims, Tables
from diskwright.formats.source import ImageSource
from diskwright.model.units import SECTOR

_ALL = (1 << 64) - 1
_LOW = (1 << 32) - 1


def check_clusters(source: ImageSource, header: Header, tables: Tables, claims: Claims) -> bool:
    """Every L2 entry names bytes of the file that are no metadata. True: one is compressed."""
    checker = _PieceChecker(source, header, claims)
    compressed = False
    for index, table in zip(tables.indices, tables.offsets, strict=True):
        table_start = index * header.l2_entries * header.cluster_size
        for at, piece in source.pieces(table, header.cluster_size):
            if piece != bytes(len(piece)):
                before = (at - table) // header.l2_entry_bytes
                guest_start = table_start + before * header.cluster_size
                compressed |= checker.check(piece, at, guest_start)
    return compressed


class _PieceChecker:
    """All lanes of a piece of a table at once; in extended ones every second is a bitmap."""

    def __init__(self, source: ImageSource, header: Header, claims: Claims) -> None:
        self._source = source
        self._header = header
        self._claims = claims
        self._lanes = lanes = Lanes(min(header.cluster_size, READ_PIECE) // layout.ENTRY_BYTES)
        self._ones = lanes.each(1)
        entries = lanes.alternate(_ALL, 0) if header.extended_l2 else lanes.each(_ALL)
        self._entries = entries
        reserved = layout.L2_RESERVED
        if header.version < 3 or header.extended_l2:
            reserved |= layout.ZERO
        self._reserved = lanes.each(reserved)
        self._offset_mask = lanes.each(layout.OFFSET_MASK)
        self._within_cluster = lanes.each(header.cluster_size - 1)
        self._within_sector = lanes.each(SECTOR - 1)
        bits = header.compressed_offset_bits
        self._compressed_offset = lanes.each((1 << bits) - 1)
        self._compressed_sectors = lanes.each((1 << 62) - (1 << bits))

    def check(self, piece: bytes, at: int, guest_start: int) -> bool:
        """True if it has a compressed entry. `at` is where it stands in the file."""
        words = int.from_bytes(piece)
        entries = words & self._entries
        flags = entries >> 62 & self._ones
        compressed = entries & self._lanes.spread(flags)
        standard = entries ^ compressed
        if self._header.extended_l2:
            bitmaps = (words ^ entries) << 64  # each bitmap into the lane of its entry
            self._check_bitmaps(bitmaps, standard, flags, at)
        else:
            bitmaps = 0
        self._check_standard(standard, bitmaps, at, guest_start)
        if flags:
            self._check_compressed(compressed, flags, at)
        return bool(flags)

    def _check_standard(self, words: int, bitmaps: int, at: int, guest_start: int) -> None:
        lanes = self._lanes
        self._refuse(words & self._reserved, at, "reserved-bits", "reserved bits in an L2 entry")
        offsets = words & self._offset_mask
        unaligned = offsets & self._within_cluster
        self._refuse(unaligned, at, "offset-unaligned", "data that does not start at a cluster")
        # An entry that is marked as in use, and has neither an offset nor the zero flag.
        marked = words >> 63 & self._ones & ~words
        on_header = marked & ~lanes.nonzero(offsets) if marked else 0
        self._refuse(on_header, at, "metadata-overlap", "guest data in the header's cluster")
        found = lanes.unpack(offsets)
        self._refuse_claimed(found, at)
        if max(found) + self._header.cluster_size > self._source.size:
            self._check_end(found, lanes.unpack(bitmaps), at, guest_start)

    def _check_end(
        self, offsets: tuple[int, ...], bitmaps: tuple[int, ...], at: int, guest_start: int
    ) -> None:
        """The file may end within a cluster, after the last byte of it that a guest can see."""
        header = self._header
        stride = header.l2_entry_bytes // layout.ENTRY_BYTES
        for lane, offset in enumerate(offsets):
            if offset + header.cluster_size <= self._source.size:
                continue
            guest = guest_start + lane // stride * header.cluster_size
            needed = min(header.cluster_size, max(0, header.virtual_size - guest))
            if header.extended_l2:
                last = (bitmaps[lane] & _LOW).bit_length()
                needed = min(needed, last * header.cluster_size // layout.SUBCLUSTERS)
            if offset >= self._source.size or offset + needed > self._source.size:
                where = at + layout.ENTRY_BYTES * lane
                raise self._source.past_end("a data cluster is past the end", where)

    def _check_bitmaps(self, bitmaps: int, standard: int, flags: int, at: int) -> None:
        lanes = self._lanes
        low = lanes.each(_LOW)
        stored = bitmaps & low
        zeros = bitmaps >> 32 & low
        code = "header-inconsistent"
        self._refuse(stored & zeros, at, code, "a subcluster both stored and zero")
        mapped = lanes.nonzero(standard & self._offset_mask)
        homeless = stored & ~lanes.spread(mapped | flags)
        self._refuse(homeless, at, code, "a stored subcluster without a cluster")
        both = bitmaps & lanes.spread(flags)
        self._refuse(both, at, code, "subclusters of a compressed cluster")

    def _check_compressed(self, words: int, flags: int, at: int) -> None:
        lanes = self._lanes
        self._refuse(words >> 63 & self._ones, at, "reserved-bits", "a compressed entry's copy bit")
        offsets = words & self._compressed_offset
        sectors = (words & self._compressed_sectors) >> self._header.compressed_offset_bits
        # A writer stores a cluster compressed only where that makes it smaller.
        more = self._header.cluster_size // SECTOR
        if max(lanes.unpack(sectors)) > more:
            detail = "a compressed cluster longer than a plain one"
            raise self._source.broken("compressed-data", detail, at)
        starts = offsets ^ (offsets & self._within_cluster)
        last_sectors = (offsets ^ (offsets & self._within_sector)) + (sectors << 9)
        ends = last_sectors ^ (last_sectors & self._within_cluster)
        self._refuse(
            flags & ~lanes.nonzero(starts),
            at,
            "metadata-overlap",
            "guest data in the header's cluster",
        )
        for edges in (starts, ends):
            self._refuse_claimed(lanes.unpack(edges), at)
        # The last sector may be cut short: writers end the file where their data does.
        if max(lanes.unpack(last_sectors)) >= self._source.size:
            raise self._source.past_end("a compressed cluster is past the end", at)
        if max(lanes.unpack(offsets)) >= self._source.size:
            raise self._source.past_end("a compressed cluster is past the end", at)

    def _refuse_claimed(self, offsets: tuple[int, ...], at: int) -> None:
        if self._claims.touch(offsets):
            raise self._source.broken("metadata-overlap", "guest data on metadata", at)

    def _refuse(self, bad: int, at: int, code: str, detail: str) -> None:
        if bad:
            where = at + layout.ENTRY_BYTES * self._lanes.first(bad)
            raise self._source.broken(code, detail, where)
