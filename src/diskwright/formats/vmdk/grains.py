"""Where grains lie: in the file, on nothing else, no two at one place.

Plain grains all stand at one distance from a multiple of their size, so that each has a slot of its
own, marked with a byte. A compressed grain starts at any sector; its marker tells how long it is.
"""

from __future__ import annotations

import struct
from array import array
from bisect import bisect_left
from collections.abc import Iterable
from functools import cache
from itertools import islice, pairwise, repeat
from operator import lt

from diskwright.errors import ImageBroken
from diskwright.formats import limits
from diskwright.formats.claims import little_endian
from diskwright.formats.source import ImageSource
from diskwright.formats.vmdk import layout
from diskwright.formats.vmdk.layout import Header
from diskwright.model.units import SECTOR, round_up

_ENTRY = struct.Struct("<I")
_TOP = 1 << 31  # of a lane
_SECTORS_MAX = 1 << 32  # that an entry can name
_OVERLAP = "metadata-overlap"


@cache
def _lanes(count: int) -> tuple[int, int]:
    """1 in each of `count` lanes of 32 bits, and 0, 1, 2 ...: tables are one integer."""
    numbers = struct.Struct(f"<{count}I")
    return (
        int.from_bytes(numbers.pack(*repeat(1, count)), "little"),
        int.from_bytes(numbers.pack(*range(count)), "little"),
    )


class Grains:
    """What the tables name; `metadata` is ranges of sectors in their order."""

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
        self._loose = 0  # of them those that follow no other
        self._residue = 0  # of every grain's place, by its length
        self._last = 0
        self._parts: list[tuple[int, int]] = []  # sectors of compressed grains

    def add(self, index: int, tables: bytes, at: int) -> None:
        """Tables from this index on, which stand at byte `at`. Grains in a row take one step."""
        if tables == bytes(len(tables)):
            return
        words = int.from_bytes(tables, "little")
        if self._mark_row(tables, words, at):
            return
        if len(tables) == layout.TABLE_BYTES:
            self._add_table(index, tables, words, at)
            return
        for start in range(0, len(tables), layout.TABLE_BYTES):
            table = tables[start : start + layout.TABLE_BYTES]
            self.add(index + start // layout.TABLE_BYTES, table, at + start)

    def finish(self) -> None:
        """Every table was added: whether what they name lies apart."""
        if not self._ordered:
            self._check_marks()
        parts = sorted(self._parts + self._metadata) if self._parts else []
        for before, after in pairwise(parts):
            if after[0] < before[1]:
                raise self._overlap(after[0] * SECTOR)

    def _mark_row(self, tables: bytes, words: int, at: int) -> bool:
        """Whether every grain follows the one before it."""
        grain = self._length
        count = len(tables) // layout.ENTRY_BYTES
        (first,), (last,) = (_ENTRY.unpack_from(tables, where) for where in (0, len(tables) - 4))
        if self._header.compressed or first <= layout.ENTRY_ZEROED:
            return False
        if last != first + (count - 1) * grain or last + grain > self._sectors:
            return False
        ones, steps = _lanes(count)
        if words != first * ones + grain * steps:
            return False
        if not self._count:
            self._residue = first % grain
        if first % grain != self._residue:
            raise self._unaligned(at)
        slot = self._slot(first)
        self._taken[slot : slot + count] = b"\1" * count
        self._count += count
        return True

    def _add_table(self, index: int, table: bytes, words: int, at: int) -> None:
        if self._shift and self._count and not self._residue and self._mark_aligned(words):
            return
        entries = little_endian("I", table)
        if self._header.has_zeroed and layout.ENTRY_ZEROED in entries:
            entries = array("I", [0 if e == layout.ENTRY_ZEROED else e for e in entries])
        if max(entries) + self._length > self._sectors:
            self._check_end(entries, index, at)
        used = array("I", filter(None, entries))
        if not used:
            return
        if self._header.compressed:
            self._check_markers(entries, index, at)
        if self._ordered:
            self._check_order(used, at)
            return
        if not self._count:
            self._residue = used[0] % self._length
        if self._shift and any(place % self._length != self._residue for place in used):
            raise self._unaligned(at)
        self._mark(map(self._slot, used), len(used))

    def _mark_aligned(self, words: int) -> bool:
        """Mark a table whose grains all lie at multiples of their size, and in the file; False for
        any other one. What is out of range shows in the top bit of its lane.
        """
        ones, _ = _lanes(layout.TABLE_ENTRIES)
        if words & (ones * (self._length - 1)):
            return False
        slots = words >> self._shift  # nothing is shifted from one entry into another
        most = (self._sectors >> self._shift) - 1
        tops = ones * _TOP
        if ((tops | ones * most) - slots) & tops != tops:
            return False
        used = (slots + ones * (_TOP - 1)) & tops
        places = little_endian("I", slots.to_bytes(layout.TABLE_BYTES, "little"))
        self._mark(places, used.bit_count())
        return True

    def _mark(self, slots: Iterable[int], count: int) -> None:
        taken = self._taken
        for slot in slots:
            taken[slot] = 1
        self._count += count
        if self._count > len(taken):
            raise self._twice()
        self._loose += count
        if self._loose > limits.VMDK_OUT_OF_ORDER:
            detail = "more grains, out of order, than are read"
            raise self._source.unsupported("table-too-large", detail, layout.AT_GRAIN)

    def _check_end(self, entries: array[int], index: int, at: int) -> None:
        """The file may end within a grain, after the last sector of it that the disk has."""
        for lane, place in enumerate(entries):
            if place + self._length <= self._sectors:
                continue
            first = (index * layout.TABLE_ENTRIES + lane) * self._header.grain
            needed = min(self._length, max(0, self._header.capacity - first))
            if place >= self._sectors or (place + needed) * SECTOR > self._end:
                raise self._source.past_end("a grain is past the end", at + 4 * lane)

    def _slot(self, sector: int) -> int:
        """0 is before any grain, and what unused entries mark."""
        return (sector + (self._length - self._residue) % self._length) >> self._shift

    def _check_marks(self) -> None:
        if self._taken.count(1, 1) != self._count:
            raise self._twice()
        for start, end in self._metadata:
            first, last = max(1, self._slot(start)), self._slot(end - 1)
            if self._count and self._taken.find(1, first, last + 1) >= 0:
                raise self._overlap(start * SECTOR)

    def _check_order(self, used: array[int], at: int) -> None:
        if used[0] <= self._last or not all(map(lt, used, islice(used, 1, None))):
            detail = "more compressed grains, out of order, than are read"
            raise self._source.unsupported("table-too-large", detail, at)
        self._count += len(used)
        if self._count > limits.VMDK_PLACES:
            raise self._source.unsupported("table-too-large", "more grains than are read", at)
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

    def _unaligned(self, at: int) -> ImageBroken:
        return self._source.broken("offset-unaligned", "a grain that is out of step", at)

    def _twice(self) -> ImageBroken:
        return self._source.broken(_OVERLAP, "two grains lie at one place")

    def _overlap(self, at: int) -> ImageBroken:
        return self._source.broken(_OVERLAP, "a grain lies on a table, or on another grain", at)
