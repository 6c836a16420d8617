"""The dynamic header of a VHD and its block allocation table, judged whole."""

from __future__ import annotations

import struct

from diskwright.formats import limits
from diskwright.formats.block_places import BlockPlaces
from diskwright.formats.source import ImageSource
from diskwright.formats.vhd import layout
from diskwright.formats.vhd.layout import DynamicHeader
from diskwright.model.units import SECTOR, format_size

_OVERLAP = "metadata-overlap"


def read_dynamic(source: ImageSource, at: int) -> DynamicHeader:
    """The header at byte `at`, whose fields agree; its table is in the file."""
    data = source.read(at, layout.DYNAMIC_BYTES)
    header = layout.decode_dynamic(data)
    if header.cookie != layout.DYNAMIC_COOKIE:
        raise source.broken("header-inconsistent", "no dynamic header where one is named", at)
    if not layout.dynamic_sound(data):
        raise source.broken("checksum", "the dynamic header's checksum is wrong", at)
    if header.version != layout.VERSION:
        raise source.unsupported("version-unknown", f"version {header.version:#x}", at + 24)
    block = header.block_size
    if block & (block - 1) or not layout.BLOCK_MIN <= block <= layout.BLOCK_MAX:
        raise source.broken("header-inconsistent", f"a block size of {block} bytes", at + 32)
    if header.entries * block > layout.TABLE_REACH_MAX:
        detail = f"a table of {header.entries} blocks of {format_size(block)}"
        raise source.broken("table-too-large", detail, at + 28)
    if header.entries > limits.BLOCKS:
        detail = f"a table of {header.entries} entries, of which {limits.BLOCKS} are read"
        raise source.unsupported("table-too-large", detail, at + 28)
    if header.table_offset + header.table_bytes > source.size:
        raise source.past_end("the block table is past the end", at + 16)
    return header


def check_blocks(source: ImageSource, header: DynamicHeader, header_at: int, tail: int) -> None:
    """Every block lies in the file, apart from the others and from metadata.

    The header stands at `header_at`, the footer at `tail`.
    """
    metadata = (
        (0, layout.FOOTER_BYTES, "the footer's copy"),
        (header_at, layout.DYNAMIC_BYTES, "the dynamic header"),
        (header.table_offset, header.table_bytes, "the block table"),
        (tail, source.size - tail, "the footer"),
    )
    end = 0
    for offset, length, what in sorted(metadata):
        if offset < end:
            raise source.broken(_OVERLAP, f"{what} lies on other metadata", offset)
        end = offset + length
    sectors = (header.bitmap_bytes + header.block_size) // SECTOR
    places = BlockPlaces(source, unit=SECTOR, length=sectors)
    for at, piece in source.pieces(header.table_offset, header.table_bytes):
        _add(source, places, sectors, at, piece)
    clash = places.overlap()
    if clash is not None:
        raise source.broken(_OVERLAP, "a block lies on another", clash * SECTOR)
    for offset, length, what in metadata:
        if places.touch(offset, length):
            raise source.broken(_OVERLAP, f"a block lies on {what}", offset)


def _add(source: ImageSource, places: BlockPlaces, sectors: int, at: int, piece: bytes) -> None:
    if piece == b"\xff" * len(piece):
        return
    entries = struct.unpack(f">{len(piece) // layout.ENTRY_BYTES}I", piece)
    starts = [entry for entry in entries if entry != layout.UNUSED]
    if (max(starts) + sectors) * SECTOR > source.size:
        where = at + layout.ENTRY_BYTES * entries.index(max(starts))
        raise source.past_end("a block is past the end", where)
    clash = places.add(starts)
    if clash is not None:
        raise source.broken(_OVERLAP, "a block lies on another", clash * SECTOR)
