"""VDI, dynamic and static: the header and the block map, read whole."""

from __future__ import annotations

import struct
import uuid

from diskwright.formats import limits
from diskwright.formats.block_places import BlockPlaces
from diskwright.formats.source import ImageSource
from diskwright.formats.text import told
from diskwright.formats.vdi import layout
from diskwright.formats.vdi.layout import Header
from diskwright.formats.virtual_size import check_virtual_size
from diskwright.model.image import Geometry, ImageFacts, ImageFormat, Reference, ReferenceKind
from diskwright.model.units import SECTOR, round_up

_CODE = "header-inconsistent"
_SUBFORMATS = {layout.DYNAMIC: "dynamic", layout.STATIC: "static"}
_NOBODY = bytes(16)


def read_facts(source: ImageSource) -> ImageFacts:
    """Facts of a VDI file of version 1.1."""
    start = source.read_up_to(0, layout.HEADER_END)
    if len(start) < layout.HEADER_END:
        raise source.broken("truncated", f"{source.size} bytes, less than a VDI header")
    header = layout.decode_header(start)
    if header.signature != layout.SIGNATURE:
        raise source.broken(_CODE, "it does not begin as a VDI file", layout.TEXT_BYTES)
    if header.version != layout.VERSION:
        said = f"version {header.version >> 16}.{header.version & 0xFFFF}"
        raise source.unsupported("version-unknown", said, 68)
    _check_kind(source, header)
    _check_sizes(source, header)
    _check_places(source, header)
    _check_map(source, header)
    return ImageFacts(
        format=ImageFormat.VDI,
        virtual_size=header.virtual_size,
        file_size=source.size,
        exact_size=header.virtual_size,
        cluster_size=header.block_size,
        version=header.version >> 16,
        subformat=_SUBFORMATS[header.kind],
        creator=told(header.text.decode("latin-1").strip("<> \n\0")),
        geometry=_geometry(header),
    )


def _geometry(header: Header) -> Geometry | None:
    """QEMU writes none, VirtualBox one that a BIOS once chose."""
    return header.geometry if header.geometry.size else None


def _check_kind(source: ImageSource, header: Header) -> None:
    if header.parent != _NOBODY:
        name = str(uuid.UUID(bytes_le=header.parent))
        source.refer(Reference(ReferenceKind.PARENT, name, ImageFormat.VDI), 440)
    if header.parent != _NOBODY or header.kind in (layout.UNDO, layout.DIFFERENCING):
        detail = f"disk type {header.kind}: changes to another disk, which is not followed"
        raise source.unsupported("differencing", detail, 76)
    if header.link != _NOBODY:  # QEMU refuses it; programs leave it empty
        raise source.unsupported("feature-unknown", "a linked disk", 424)
    if header.kind not in _SUBFORMATS:
        raise source.unsupported("subformat-unknown", f"disk type {header.kind}", 76)


def _check_sizes(source: ImageSource, header: Header) -> None:
    if header.sector_size != SECTOR:
        detail = f"sectors of {header.sector_size} bytes"
        raise source.unsupported("sector-size", detail, 360)
    if header.block_size != layout.BLOCK_SIZE:
        detail = f"blocks of {header.block_size} bytes, of which 1 MiB is read"
        raise source.unsupported("cluster-size", detail, 376)
    if header.block_extra:
        detail = f"{header.block_extra} bytes before each block"
        raise source.unsupported("feature-unknown", detail, 380)
    size = header.virtual_size
    if size:
        check_virtual_size(source, size, 368, most=layout.SIZE_MAX)
    if not size or header.blocks != -(-size // header.block_size):
        detail = f"{header.blocks} blocks for a virtual size of {size} bytes"
        raise source.broken(_CODE, detail, 384)
    if header.blocks > limits.BLOCKS:
        detail = f"a map of {header.blocks} blocks, of which {limits.BLOCKS} are read"
        raise source.unsupported("table-too-large", detail, 384)


def _check_places(source: ImageSource, header: Header) -> None:
    """Header, map and data come one after the other, at whole sectors."""
    if header.length < layout.HEADER_BYTES_MIN:
        raise source.broken(_CODE, f"a header of {header.length} bytes", 72)
    if header.map_offset % SECTOR or header.data_offset % SECTOR:
        detail = f"its map at {header.map_offset} and its data at {header.data_offset}"
        raise source.broken("offset-unaligned", detail, 340)
    if header.map_offset < layout.PREFIX_BYTES + header.length:
        raise source.broken("metadata-overlap", "the block map lies on the header", 340)
    # QEMU reads whole sectors of the map, and fills up what a file is short of with zeros.
    if header.map_offset + round_up(header.map_bytes, SECTOR) > source.size:
        raise source.past_end("the block map is past the end", 340)
    if header.data_offset < header.map_offset + header.map_bytes:
        raise source.broken("metadata-overlap", "the data lies on the block map", 344)


def _check_map(source: ImageSource, header: Header) -> None:
    places = BlockPlaces(source, unit=header.block_size, length=1)
    room = source.size - header.data_offset
    for at, piece in source.pieces(header.map_offset, header.map_bytes):
        if piece == b"\xff" * len(piece):
            continue
        entries = struct.unpack(f"<{len(piece) // layout.ENTRY_BYTES}I", piece)
        found = [entry for entry in entries if entry < layout.ZERO]
        if found and (max(found) + 1) * header.block_size > room:
            _check_end(source, header, room, at, entries)
        clash = places.add(found)
        if clash is not None:
            raise source.broken("metadata-overlap", f"block {clash} of the file twice", at)


def _check_end(
    source: ImageSource, header: Header, room: int, at: int, entries: tuple[int, ...]
) -> None:
    """The file may end within the disk's last block, after the last byte that a guest can see."""
    first = (at - header.map_offset) // layout.ENTRY_BYTES
    for index, entry in enumerate(entries):
        left = header.virtual_size - (first + index) * header.block_size
        needed = min(header.block_size, left)
        if entry < layout.ZERO and entry * header.block_size + needed > room:
            where = at + index * layout.ENTRY_BYTES
            raise source.past_end("a block is past the end", where)
