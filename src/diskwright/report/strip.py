"""A disk drawn as a strip of characters: where it has data, its partitions beneath, a scale."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from diskwright._values import Struct, field_names
from diskwright.model.deep import AllocationMap, Cell
from diskwright.model.partitions import Partition
from diskwright.model.units import format_size

_PARTITION_ROWS = 4
_SCALE_MARKS = (0, 2, 4)  # quarters of the disk, where there is room; else the ends


class Glyphs(Struct, frozen=True):
    """`data` are levels from a little to all."""

    data: str
    zero: str
    hole: str
    unknown: str
    left: str
    right: str
    line: str
    single: str


UNICODE = Glyphs("▁▂▃▄▅▆▇█", "░", "·", "?", "├", "┤", "─", "│")
ASCII = Glyphs("12345678#", "0", ".", "?", "|", "|", "-", "|")


def needed(glyphs: Glyphs) -> str:
    """All characters that they draw with."""
    return "".join(getattr(glyphs, name) for name in field_names(Glyphs))


def cell_glyph(cell: Cell, glyphs: Glyphs) -> str:
    """Data is seen however little it is; then what is not known, then zeros that are stored."""
    if cell.data:
        last = len(glyphs.data) - 1
        return glyphs.data[last if cell.data == cell.length else cell.data * last // cell.length]
    if cell.unknown:
        return glyphs.unknown
    return glyphs.zero if cell.zero else glyphs.hole


def strip(drawn: AllocationMap, glyphs: Glyphs) -> str:
    """A character a cell."""
    return "".join(cell_glyph(cell, glyphs) for cell in drawn.cells)


def legend(drawn: AllocationMap, glyphs: Glyphs, *, width: int) -> Iterator[str]:
    """Of the glyphs that are in the strip, in lines of at most `width` where words allow it."""
    said = [f"a column is {format_size(drawn.cells[0].length)}"]
    shown = set(strip(drawn, glyphs))
    if shown & set(glyphs.data):
        said.append(f"{glyphs.data[0]} some data to {glyphs.data[-1]} all data")
    for glyph, words in (
        (glyphs.zero, "zeros, noted only"),
        (glyphs.hole, "nothing stored"),
        (glyphs.unknown, "not looked at"),
    ):
        if glyph in shown:
            said.append(f"{glyph} {words}")
    line = ""
    for words in said:
        if line and len(line) + 2 + len(words) > width:
            yield line
            line = ""
        line += f"; {words}" if line else words
    yield line


def scale(drawn: AllocationMap) -> str:
    """Sizes beneath the columns where they lie."""
    width = len(drawn.cells)
    row = [" "] * width
    free_from = 0
    last = format_size(drawn.size)
    for quarter in _SCALE_MARKS:
        text = last if quarter == 4 else format_size(drawn.size * quarter // 4)
        text = "0" if quarter == 0 else text
        at = min(width * quarter // 4, width - len(text))
        room_for_last = quarter == 4 or at + len(text) < width - len(last)
        if at >= free_from and room_for_last:
            row[at : at + len(text)] = text
            free_from = at + len(text) + 1
    return "".join(row).rstrip()


def partition_rows(
    drawn: AllocationMap, partitions: Iterable[Partition], glyphs: Glyphs
) -> Iterator[str]:
    """Each partition from its first column to its last, in as few rows as keep them apart."""
    width = len(drawn.cells)
    rows: list[list[str]] = []
    left_out = 0
    for partition in sorted(partitions, key=lambda p: (p.start, p.number)):
        if partition.start >= drawn.size or partition.length <= 0:
            continue
        first = column(drawn.cells, partition.start)
        last = column(drawn.cells, min(partition.start + partition.length, drawn.size) - 1)
        text = _bar(partition, last - first + 1, glyphs)
        first = min(first, width - len(text))
        free = (row for row in rows if _is_free(row, first))
        row = next(free, None)
        if row is None:
            if len(rows) == _PARTITION_ROWS or first < 0:
                left_out += 1
                continue
            row = [" "] * width
            rows.append(row)
        row[first : first + len(text)] = text
    yield from ("".join(row).rstrip() for row in rows)
    if left_out:
        yield f"and {left_out} more"


def _is_free(row: list[str], first: int) -> bool:
    """From column `first` on; two numbers side by side would be one."""
    return set(row[first:]) == {" "} and (first == 0 or not row[first - 1].isdigit())


def column(cells: Sequence[Cell], offset: int) -> int:
    """The cell that byte `offset` lies in."""
    low, high = 0, len(cells) - 1
    while low < high:
        middle = (low + high + 1) // 2
        if cells[middle].start <= offset:
            low = middle
        else:
            high = middle - 1
    return low


def _bar(partition: Partition, width: int, glyphs: Glyphs) -> str:
    """Its borders and as much of its name as there is room for; its number at least."""
    number = str(partition.number)
    label = partition.label or ""
    name = label if label.isascii() and label.isprintable() and label else partition.role.value
    if width < len(number) + 2:
        return number if width >= len(number) else glyphs.single + number
    inside = width - 2
    text = f"{number} {name}"
    text = text if len(text) <= inside else number
    return glyphs.left + text.center(inside, "\0").replace("\0", glyphs.line) + glyphs.right
