"""The grain directory and tables of a sparse extent, and their copies: all apart, in the file."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from itertools import pairwise

from diskwright.formats import limits
from diskwright.formats.claims import little_endian
from diskwright.formats.source import ImageSource
from diskwright.formats.vmdk import layout
from diskwright.formats.vmdk.grains import Grains
from diskwright.formats.vmdk.layout import Header
from diskwright.model.units import SECTOR, format_size

_PIECE_TABLES = limits.READ_PIECE // layout.TABLE_BYTES

Range = tuple[int, int]  # sectors, the second one no longer


def check_tables(source: ImageSource, header: Header, end: int) -> bool:
    """Every table and grain lies by itself before byte `end`. False: a copied table differs."""
    places = _directory(source, header, end, header.directory, layout.AT_DIRECTORY)
    copies = _copies(source, header, end)
    used = [index for index, place in enumerate(places) if place]
    length = len(used) * layout.TABLE_BYTES
    if length > limits.VMDK_TABLE_BYTES:
        detail = f"grain tables of {format_size(length)} in use"
        raise source.unsupported("table-too-large", detail, layout.AT_CAPACITY)
    grains = Grains(source, header, end, _metadata(source, header, places, copies))
    same = not copies or [bool(place) for place in copies] == [bool(place) for place in places]
    for indices in _groups(used, places, copies if same else None):
        size = len(indices) * layout.TABLE_BYTES
        at = places[indices[0]] * SECTOR
        piece = source.read(at, size)
        if copies and same:
            same = source.read(copies[indices[0]] * SECTOR, size) == piece
        grains.add(indices[0], piece, at)
    grains.finish()
    return same


def _directory(
    source: ImageSource, header: Header, end: int, sector: int, field: int
) -> array[int]:
    """The tables' places, each 0 or in the file; `field` is where the directory's own stands."""
    start = sector * SECTOR
    if not sector:
        raise source.broken("header-inconsistent", "it has no grain directory", field)
    if start + header.directory_bytes > end:
        raise source.past_end("the grain directory is past the end", field)
    places = little_endian("I", source.read(start, header.directory_bytes))
    last = end // SECTOR - layout.TABLE_SECTORS
    if max(places) > last:
        index = next(index for index, place in enumerate(places) if place > last)
        at = start + index * layout.ENTRY_BYTES
        raise source.past_end("a grain table is past the end", at)
    return places


def _copies(source: ImageSource, header: Header, end: int) -> array[int] | None:
    """The copied tables' places; None where the header has no copy, or the same directory twice."""
    if not header.flags & layout.FLAG_REDUNDANT or header.redundant in (0, header.directory):
        return None
    return _directory(source, header, end, header.redundant, layout.AT_REDUNDANT)


def _metadata(
    source: ImageSource, header: Header, places: array[int], copies: array[int] | None
) -> list[Range]:
    """What grains must stay clear of, in order, joined where it touches."""
    ranges = [(0, 1), (header.directory, header.directory + header.directory_sectors)]
    if header.descriptor_size:
        ranges.append((header.descriptor, header.descriptor + header.descriptor_size))
    ranges += _tables_at(places)
    if copies:
        ranges.append((header.redundant, header.redundant + header.directory_sectors))
        ranges += _tables_at(copies)
    ranges.sort()
    for before, after in pairwise(ranges):
        if after[0] < before[1]:
            detail = "two tables, or a table and a header, lie at one place"
            raise source.broken("metadata-overlap", detail, after[0] * SECTOR)
    return list(_joined(ranges))


def _tables_at(places: Iterable[int]) -> list[Range]:
    return [(place, place + layout.TABLE_SECTORS) for place in places if place]


def _joined(ranges: list[Range]) -> Iterator[Range]:
    start, end = ranges[0]
    for after in ranges[1:]:
        if after[0] > end:
            yield start, end
            start = after[0]
        end = after[1]
    yield start, end


def _groups(used: list[int], places: array[int], copies: array[int] | None) -> Iterator[list[int]]:
    """Indices in a row of tables that lie in a row, and their copies too: a read each."""
    step = layout.TABLE_SECTORS
    group: list[int] = []
    for index in used:
        if group and (
            len(group) == _PIECE_TABLES
            or index != group[-1] + 1
            or places[index] != places[group[-1]] + step
            or (copies and copies[index] != copies[group[-1]] + step)
        ):
            yield group
            group = []
        group.append(index)
    if group:
        yield group
