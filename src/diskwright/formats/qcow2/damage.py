"""Why bytes of a qcow2 disk could not be read: what only its reader finds, under its own name."""

from __future__ import annotations

import struct

from diskwright.errors import ImageBroken, InputUnreadable
from diskwright.formats.qcow2 import layout
from diskwright.formats.qcow2.header import read_header
from diskwright.formats.qcow2.layout import Header
from diskwright.formats.source import ImageSource
from diskwright.model.units import SECTOR

_ENTRY = struct.Struct(">Q")


def compressed_damage(source: ImageSource, start: int, length: int) -> ImageBroken | None:
    """`compressed-data`, where a reader can't have the guest's bytes `[start, start + length)`,
    though every byte of the file that they are made of can be read, and a compressed cluster is
    among them. The tables are sound: `read_facts` has taken them.
    """
    header, _, _ = read_header(source)
    first = None
    try:
        for guest in range(
            start - start % header.cluster_size, start + length, header.cluster_size
        ):
            entry = _entry(source, header, guest)
            compressed = bool(entry & layout.COMPRESSED)
            offset, size = _stored(header, entry)
            source.read_up_to(offset, size)
            if compressed and first is None:
                first = offset
    except InputUnreadable:
        return None
    if first is None:
        return None
    return source.broken("compressed-data", "a compressed cluster can't be unpacked", first)


def _entry(source: ImageSource, header: Header, guest: int) -> int:
    """The L2 entry of the cluster at `guest`; 0 where there is none."""
    index, within = divmod(guest // header.cluster_size, header.l2_entries)
    if guest >= header.virtual_size:
        return 0
    table = _word(source, header.l1_offset + layout.ENTRY_BYTES * index) & layout.OFFSET_MASK
    return _word(source, table + header.l2_entry_bytes * within) if table else 0


def _word(source: ImageSource, offset: int) -> int:
    word: int = _ENTRY.unpack(source.read(offset, _ENTRY.size))[0]
    return word


def _stored(header: Header, entry: int) -> tuple[int, int]:
    """Where the bytes of a cluster stand in the file, and how many."""
    if not entry & layout.COMPRESSED:
        offset = entry & layout.OFFSET_MASK
        return offset, header.cluster_size if offset else 0
    bits = header.compressed_offset_bits
    offset = entry & ((1 << bits) - 1)
    sectors = (entry >> bits) & ((1 << (62 - bits)) - 1)
    return offset, (sectors + 1) * SECTOR - offset % SECTOR
