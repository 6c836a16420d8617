"""A map of a disk accounts for every byte, whatever the extents, and ends in time."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, pairwise

from hypothesis import given
from hypothesis import strategies as st

from diskwright.blockio.memory import MemoryReader
from diskwright.model.deep import LISTED, AllocationMap
from diskwright.model.extent import Extent, ExtentKind
from diskwright.model.nulls import NullProgress
from diskwright.ops.extent_map import allocation_map
from diskwright.report import strip

SECTOR = 512


def mapped(reader, cells: int = 64, **bounds) -> AllocationMap:
    bounds.setdefault("clock", lambda: 0.0)
    return allocation_map(reader, cells=cells, progress=NullProgress(), **bounds)


@given(st.text("A0-", min_size=1, max_size=200), st.integers(1, 100))
def test_cells_cover_the_disk_and_sum_up_to_its_extents(picture: str, cells: int) -> None:
    reader = MemoryReader.of_picture(picture, unit=SECTOR)
    drawn = mapped(reader, cells)
    assert len(drawn.cells) == min(cells, len(picture))
    cursor = 0
    for cell in drawn.cells:
        assert cell.start == cursor
        assert cell.length > 0
        assert cell.unknown == 0
        part = picture[cursor // SECTOR : (cursor + cell.length) // SECTOR]
        found = (cell.data, cell.zero, cell.hole)
        assert found == tuple(SECTOR * part.count(letter) for letter in "A0-")
        cursor += cell.length
    assert cursor == drawn.size == reader.size
    assert drawn.data + drawn.zero + drawn.hole == drawn.size
    changes = sum(a != b for a, b in pairwise(picture))
    assert drawn.stretches == len(drawn.extents) == changes + 1


@given(st.text("A0-", min_size=1, max_size=200), st.integers(1, 100))
def test_a_strip_fits_and_shows_data_wherever_it_is(picture: str, cells: int) -> None:
    drawn = mapped(MemoryReader.of_picture(picture, unit=SECTOR), cells)
    for glyphs in (strip.UNICODE, strip.ASCII):
        shown = strip.strip(drawn, glyphs)
        assert len(shown) <= cells
        for glyph, cell in zip(shown, drawn.cells, strict=True):
            if cell.data:
                assert glyph in glyphs.data
                assert (glyph == glyphs.data[-1]) == (cell.data == cell.length)
            else:
                assert glyph == (glyphs.zero if cell.zero else glyphs.hole)
        assert len(strip.scale(drawn)) <= max(cells, len("100 KiB"))


class Endless:
    """A disk of 1 PiB whose kind changes at every sector; it counts how far anybody looks."""

    size = 1 << 50
    parallel = 1
    told = 0

    def extents(self, start: int, length: int) -> Iterator[Extent]:
        kinds = (ExtentKind.DATA, ExtentKind.HOLE)
        for index in range(length // SECTOR):
            self.told += 1
            yield Extent(start + index * SECTOR, SECTOR, kinds[index % 2])


def test_too_many_stretches_leave_the_rest_unknown():
    reader = Endless()
    drawn = mapped(reader, most_extents=5_000)
    assert reader.told == drawn.stretches == 5_000
    assert len(drawn.extents) == LISTED
    assert drawn.incomplete == "more than 5000 stretches"
    assert sum(cell.unknown for cell in drawn.cells) == drawn.size - 5_000 * SECTOR
    assert strip.strip(drawn, strip.ASCII) == "1" + "?" * 63


def test_a_slow_disk_ends_by_the_clock():
    ticks = count()
    reader = Endless()
    drawn = mapped(reader, clock=lambda: float(next(ticks)), most_seconds=9.5)
    assert reader.told == 10
    assert drawn.incomplete == "it would take longer than 9.5 s"


def test_a_hole_of_a_pebibyte_is_one_stretch_in_bounds():
    size = 1 << 50
    drawn = mapped(MemoryReader(size, {size - SECTOR: b"x" * SECTOR}))
    assert [e.kind for e in drawn.extents] == [ExtentKind.HOLE, ExtentKind.DATA]
    assert drawn.stretches == 2
    assert not drawn.incomplete
    assert strip.strip(drawn, strip.ASCII) == "." * 63 + "1"
