"""Where grains lie: in the file, on nothing else, no two at one place.

Plain grains all stand at one distance from a multiple of their size, so that each has a slot of its
own, marked with a byte. A compressed grain starts at any sector; its marker tells how long it is.
"""

from __future__ import annotations

import struct
from array import array
from bisect import bisect_left
from collections import deque
from collections.abc import Iterable
from itertools import pairwise, repeat

from diskwright.formats import limits
from diskwright.formats import vmdk_layout as layout
from diskwright.formats.claims import little_endian
from diskwright.formats.source import ImageSource
from diskwright.formats.vmdk_layout import Header
from diskwright.model.units import SECTOR, round_up

# A table as one integer: an entry is a lane of 32 bits.
_TABLE = struct.Struct(f"<{layout.TABLE_ENTRIES}I")
_ONES = int.from_bytes(_TABLE.pack(*repeat(1, layout.TABLE_ENTRIES)), "little")
_STEPS = int.from_bytes(_TABLE.pack(*range(layout.TABLE_ENTRIES)), "little")
_SECTORS_MAX = 1 << 32  # that an entry can name
_OVERLAP = "metadata-overlap"


class Grains:
    """What the tables name, a table at a time; `metadata` is ranges of sectors in their order."""

    def __init__(
        self, source: ImageSource, header: Header, end: int, metadata: list[tuple[int, int]]
    ) -> None:
        self._source = source
        self._header = header
        self._end = end
        self._metadata = metadata
        self._sectors = min(end // SECTOR, _SECTORS_MAX)
        self._length = 1 if header.compressed else header.grain
        self._shift = self._length.bit_length() - 1
        slots = (self._sectors >> self._shift) + 3
        self._ordered = header.compressed and slots > limits.VMDK_PLACES
        if slots > limits.VMDK_PLACES and not self._ordered:
            detail = f"room for {slots} grains"
            raise source.unsupported("table-too-large", detail, layout.AT_GRAIN)
        self._taken = bytearray(0 if self._ordered else slots)
        self._count = 0
        self._residue = 0  # of every grain's place, by its length
        self._last = 0
        self._parts: list[tuple[int, int]] = []  # sectors of compressed grains

    def add(self, index: int, table: bytes, at: int) -> None:
        """The table of this index, which stands at byte `at`."""
        entries = little_endian("I", table)
        if self._header.has_zeroed and layout.ENTRY_ZEROED in entries:
            table = _TABLE.pack(*(0 if e == layout.ENTRY_ZEROED else e for e in entries))
            entries = little_endian("I", table)
        top = max(entries)
        if top + self._length > self._sectors:
            self._check_end(entries, index, at)
        if not top:
            return
        if self._header.compressed:
            self._check_markers(entries, index, at)
        if self._ordered:
            self._check_order(entries, at)
        else:
            self._mark(entries, table, at)

    def finish(self) -> None:
        """Every table was added: whether what they name lies apart."""
        if not self._ordered:
            self._check_marks()
        parts = sorted(self._parts + self._metadata) if self._parts else []
        for before, after in pairwise(parts):
            if after[0] < before[1]:
                raise self._overlap(after[0] * SECTOR)

    def _check_end(self, entries: array[int], index: int, at: int) -> None:
        """The file may end within a grain, after the last sector of it that the disk has."""
        for lane, place in enumerate(entries):
            if place + self._length <= self._sectors:
                continue
            first = (index * layout.TABLE_ENTRIES + lane) * self._header.grain
            needed = min(self._length, max(0, self._header.capacity - first))
            if place >= self._sectors or (place + needed) * SECTOR > self._end:
                raise self._source.past_end("a grain is past the end", at + 4 * lane)

    def _mark(self, entries: array[int], table: bytes, at: int) -> None:
        grain = self._length
        if not self._count:
            self._residue = next(filter(None, entries)) % grain
        first = entries[0]
        words = int.from_bytes(table, "little")
        in_a_row = first and entries[-1] == first + (len(entries) - 1) * grain
        if in_a_row and words == first * _ONES + grain * _STEPS:
            if first % grain != self._residue:
                raise self._unaligned(at)
            slot = self._slot(first)
            self._taken[slot : slot + len(entries)] = b"\1" * len(entries)
            self._count += len(entries)
            return
        if self._residue:
            used = array("I", filter(None, entries))
            if {place % grain for place in used} != {self._residue}:
                raise self._unaligned(at)
            slots = array("I", map(self._slot, used))
        elif words & (_ONES * (grain - 1)):
            raise self._unaligned(at)
        else:  # nothing is shifted from one entry into another
            slots = little_endian("I", (words >> self._shift).to_bytes(len(table), "little"))
        deque(map(self._taken.__setitem__, slots, repeat(1)), maxlen=0)
        self._count += len(slots) - slots.count(0)

    def _slot(self, sector: int) -> int:
        """0 is before any grain, and what unused entries mark."""
        return (sector + (self._length - self._residue) % self._length) >> self._shift

    def _check_marks(self) -> None:
        if self._taken.count(1, 1) != self._count:
            raise self._source.broken(_OVERLAP, "two grains lie at one place")
        for start, end in self._metadata:
            first, last = max(1, self._slot(start)), self._slot(end - 1)
            if self._count and self._taken.find(1, first, last + 1) >= 0:
                raise self._overlap(start * SECTOR)

    def _check_order(self, entries: Iterable[int], at: int) -> None:
        used = list(filter(None, entries))
        if used[0] <= self._last or any(after <= before for before, after in pairwise(used)):
            detail = "more compressed grains, out of order, than are read"
            raise self._source.unsupported("table-too-large", detail, at)
        first = bisect_left(self._metadata, (used[0],))
        for start, end in self._metadata[max(0, first - 1) :]:
            if start > used[-1]:
                break
            if bisect_left(used, start) != bisect_left(used, end):
                raise self._overlap(start * SECTOR)
        self._last = used[-1]

    def _check_markers(self, entries: array[int], index: int, at: int) -> None:
        """Of the first grains only: a read each is too much for all of a large disk."""
        if len(self._parts) >= limits.VMDK_MARKERS:
            return
        grain = self._header.grain
        for lane, place in enumerate(entries):
            if not place:
                continue
            where = place * SECTOR
            head = self._source.read(where, layout.GRAIN_MARKER.size)
            sector, size = layout.GRAIN_MARKER.unpack(head)
            if sector != (index * layout.TABLE_ENTRIES + lane) * grain:
                detail = f"a compressed grain that says it is of sector {sector}"
                raise self._source.broken("compressed-data", detail, where)
            # QEMU reads two grains' length, and counts the marker as if it were not in it.
            if not 0 < size <= 2 * self._header.grain_bytes - layout.GRAIN_MARKER.size:
                detail = f"a compressed grain of {size} bytes"
                raise self._source.broken("compressed-data", detail, where)
            length = layout.GRAIN_MARKER.size + size
            if where + length > self._end:
                raise self._source.past_end("a compressed grain is past the end", at + 4 * lane)
            self._parts.append((place, place + round_up(length, SECTOR) // SECTOR))

    def _unaligned(self, at: int) -> Exception:
        return self._source.broken("offset-unaligned", "a grain that is out of step", at)

    def _overlap(self, at: int) -> Exception:
        return self._source.broken(_OVERLAP, "a grain lies on a table, or on another grain", at)
