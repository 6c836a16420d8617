"""Where a disk has data: its extents added up in bounds, however many there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

from diskwright.model.deep import LISTED, AllocationMap, Cell
from diskwright.model.extent import Extent, ExtentKind
from diskwright.model.units import GIB, SECTOR
from diskwright.ports import BlockReader, Progress

MOST_EXTENTS = 1_000_000
MOST_SECONDS = 5.0
_WINDOW = 64 * GIB  # asked for at once, so that the clock is looked at in a hole too


def allocation_map(
    reader: BlockReader,
    *,
    cells: int,
    progress: Progress,
    clock: Callable[[], float],
    most_extents: int = MOST_EXTENTS,
    most_seconds: float = MOST_SECONDS,
) -> AllocationMap:
    """The whole disk in at most `cells` equal shares; on time, else incomplete.

    `clock` counts seconds.
    """
    size = reader.size
    drawn = _Cells(size, cells)
    end = clock() + most_seconds
    listed: list[Extent] = []
    last: Extent | None = None  # with its neighbours of one kind
    count = 0
    incomplete = ""
    progress.phase("map", size)
    for extent in _extents(reader):
        drawn.add(extent)
        progress.advance(extent.length)
        if last is not None and last.kind is extent.kind:
            last = Extent(last.start, last.length + extent.length, last.kind)
        else:
            last = extent
            count += 1
        if count <= LISTED:
            listed[count - 1 :] = [last]
        if extent.end < size and count >= most_extents:
            incomplete = f"more than {most_extents} stretches"
        elif extent.end < size and clock() > end:
            incomplete = f"it would take longer than {most_seconds:g} s"
        if incomplete:
            break
    totals = drawn.totals()
    return AllocationMap(
        size=size,
        data=totals[ExtentKind.DATA],
        zero=totals[ExtentKind.ZERO],
        hole=totals[ExtentKind.HOLE],
        stretches=count,
        extents=tuple(listed),
        cells=drawn.cells(),
        incomplete=incomplete,
    )


def _extents(reader: BlockReader) -> Iterator[Extent]:
    for start in range(0, reader.size, _WINDOW):
        yield from reader.extents(start, min(_WINDOW, reader.size - start))


class _Cells:
    """Equal shares of a disk, but for a sector; none is empty."""

    def __init__(self, size: int, count: int) -> None:
        sectors = max(1, size // SECTOR)
        count = max(1, min(count, sectors))
        self._borders = [sectors * index // count * SECTOR for index in range(count)] + [size]
        self._bytes = {kind: [0] * count for kind in ExtentKind}
        self._at = 0

    def add(self, extent: Extent) -> None:
        """Extents come in order."""
        sums = self._bytes[extent.kind]
        start = extent.start
        while start < extent.end:
            while self._borders[self._at + 1] <= start:
                self._at += 1
            end = min(extent.end, self._borders[self._at + 1])
            sums[self._at] += end - start
            start = end

    def totals(self) -> dict[ExtentKind, int]:
        return {kind: sum(sums) for kind, sums in self._bytes.items()}

    def cells(self) -> tuple[Cell, ...]:
        return tuple(
            Cell(
                start,
                end - start,
                self._bytes[ExtentKind.DATA][index],
                self._bytes[ExtentKind.ZERO][index],
                self._bytes[ExtentKind.HOLE][index],
            )
            for index, (start, end) in enumerate(pairwise(self._borders))
        )
