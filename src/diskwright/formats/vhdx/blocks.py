"""The block allocation table of a VHDX file.

After every chunk of entries for blocks one for their sector bitmap comes, which only a
differencing disk has. An entry is `state` in bits 0 to 2 and the offset in MiB from bit 20 on.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from diskwright.formats import limits
from diskwright.formats.block_places import BlockPlaces
from diskwright.formats.source import ImageSource
from diskwright.formats.vhdx import layout
from diskwright.formats.vhdx.layout import Disk, Region
from diskwright.model.units import MIB

_OVERLAP = "metadata-overlap"
_STATES = {*layout.STATES_WITHOUT_DATA, layout.FULLY_PRESENT}


def check_blocks(source: ImageSource, disk: Disk, bat: Region, claimed: tuple[Region, ...]) -> None:
    """Every block lies in the file, apart from the others and from what is `claimed`."""
    if disk.entries * layout.ENTRY_BYTES > bat.length:
        detail = f"a block table of {bat.length} bytes, where {disk.entries} entries are wanted"
        raise source.broken("table-too-small", detail, bat.offset)
    if disk.blocks > limits.BLOCKS or bat.length > limits.VHDX_BAT_BYTES:
        detail = f"a block table of {disk.blocks} blocks in {bat.length} bytes"
        raise source.unsupported("table-too-large", detail, bat.offset)
    length = disk.block_size // MIB
    places = BlockPlaces(source, unit=MIB, length=length)
    for block, at, piece in _chunks(source, disk, bat):
        starts = _starts(source, disk, block, at, piece)
        clash = places.add(starts)
        if clash is not None:
            raise source.broken(_OVERLAP, "a block lies on another", clash * MIB)
    clash = places.overlap()
    if clash is not None:
        raise source.broken(_OVERLAP, "a block lies on another", clash * MIB)
    if places.touch(0, layout.HEADER_SECTION_BYTES):
        raise source.broken(_OVERLAP, "a block lies on the headers", bat.offset)
    for region in claimed:
        if places.touch(region.offset, region.length):
            raise source.broken(_OVERLAP, "a block lies on metadata", region.offset)


def data_runs(source: ImageSource, disk: Disk, bat: Region) -> Iterator[tuple[int, int]]:
    """`(start, end)` in bytes of the disk, ascending and apart, of what is stored; the rest are
    zeros: blocks that the table has not, and holes of the file. The table was checked before.
    """
    begin = end = 0
    for start, stop in _stored(source, disk, bat):
        if start > end:
            if end > begin:
                yield begin, end
            begin = start
        end = stop
    if end > begin:
        yield begin, end


def _stored(source: ImageSource, disk: Disk, bat: Region) -> Iterator[tuple[int, int]]:
    seen = 0
    for block, _, piece in _chunks(source, disk, bat):
        entries = struct.unpack(f"<{len(piece) // layout.ENTRY_BYTES}Q", piece)
        for number, entry in enumerate(entries, block):
            if not _has_data(entry):
                continue
            start = number * disk.block_size
            length = min(disk.block_size, disk.virtual_size - start)
            if seen > limits.VHDX_RUNS:
                yield start, start + length
                continue
            place = (entry >> layout.OFFSET_SHIFT) * MIB
            for first, last in source.data_in(place, length):
                seen += 1
                yield start + first - place, start + last - place


def _chunks(source: ImageSource, disk: Disk, bat: Region) -> Iterator[tuple[int, int, bytes]]:
    """The entries for blocks, without those for bitmaps: first block, file offset, bytes."""
    for block in range(0, disk.blocks, disk.chunk):
        at = bat.offset + (block + block // disk.chunk) * layout.ENTRY_BYTES
        count = min(disk.chunk, disk.blocks - block)
        yield block, at, source.read(at, count * layout.ENTRY_BYTES)


def _starts(source: ImageSource, disk: Disk, block: int, at: int, piece: bytes) -> list[int]:
    """Of blocks with data, in MiB."""
    if piece == bytes(len(piece)):
        return []
    entries = struct.unpack(f"<{len(piece) // layout.ENTRY_BYTES}Q", piece)
    # Bits 0 to 19 of all entries: their first bytes, their second ones, and half of the third.
    low, middle, high = (set(piece[byte :: layout.ENTRY_BYTES]) for byte in range(3))
    if not low <= _STATES or middle != {0} or any(byte & 0xF for byte in high):
        raise _bad_entry(source, at, entries)
    used = entries if low == {layout.FULLY_PRESENT} else filter(_has_data, entries)
    starts = [entry >> layout.OFFSET_SHIFT for entry in used]
    if starts and max(starts) * MIB + disk.block_size > source.size:
        _check_end(source, disk, block, at, entries)
    return starts


def _has_data(entry: int) -> bool:
    return entry & layout.STATE_MASK == layout.FULLY_PRESENT


def _bad_entry(source: ImageSource, at: int, entries: tuple[int, ...]) -> Exception:
    for index, entry in enumerate(entries):
        state = entry & layout.STATE_MASK
        where = at + index * layout.ENTRY_BYTES
        if entry & layout.RESERVED_MASK:
            return source.broken("reserved-bits", "reserved bits in a block's entry", where)
        if state not in _STATES:
            return source.broken("header-inconsistent", f"a block in the state {state}", where)
    raise AssertionError("one of them is bad")


def _check_end(
    source: ImageSource, disk: Disk, block: int, at: int, entries: tuple[int, ...]
) -> None:
    """The file may end within the disk's last block, after the last byte that a guest can see."""
    for index, entry in enumerate(entries):
        if not _has_data(entry):
            continue
        offset = (entry >> layout.OFFSET_SHIFT) * MIB
        left = disk.virtual_size - (block + index) * disk.block_size
        if offset + min(disk.block_size, left) > source.size:
            where = at + index * layout.ENTRY_BYTES
            raise source.past_end("a block is past the end", where)
