"""The snapshot table of a qcow2 file: walked to its end. The active state is what is read."""

from __future__ import annotations

import struct

from diskwright.formats import limits
from diskwright.formats.qcow2 import layout
from diskwright.formats.qcow2.layout import Header
from diskwright.formats.qcow2.tables import Claims, claim_snapshot_l1, claim_snapshot_table
from diskwright.formats.source import ImageSource
from diskwright.model.deep import Snapshot
from diskwright.model.times import time_text
from diskwright.model.units import round_up

# extra data of an entry: the VM state's size in 64 bits, then the disk's size
_LARGE_STATE = struct.Struct(">Q")
_EXTRA = struct.Struct(">QQ")


def check_snapshots(source: ImageSource, header: Header, claims: Claims) -> None:
    """Every entry lies in the file, and each L1 table on clusters of its own."""
    count = header.snapshot_count
    if not count:
        return
    if count > limits.QCOW2_SNAPSHOTS:
        raise source.broken("table-too-large", f"{count} snapshots", 60)
    at = end = header.snapshot_offset
    l1_bytes = 0
    for _ in range(count):
        entry = layout.SNAPSHOT.unpack(source.read(at, layout.SNAPSHOT.size))
        l1_offset, l1_entries, id_bytes, name_bytes = entry[:4]
        extra_bytes = entry[-1]
        if extra_bytes > limits.QCOW2_SNAPSHOT_EXTRA_BYTES:
            raise source.broken("table-too-large", f"{extra_bytes} bytes more of a snapshot", at)
        claim_snapshot_l1(source, claims, header, l1_offset, l1_entries, at)
        l1_bytes += l1_entries * layout.ENTRY_BYTES
        end = at + layout.SNAPSHOT.size + extra_bytes + id_bytes + name_bytes
        at = round_up(end, 8)  # the last entry's padding need not be in the file
        length = end - header.snapshot_offset
        if length > limits.QCOW2_SNAPSHOT_TABLE_BYTES or l1_bytes > limits.QCOW2_SNAPSHOT_L1_BYTES:
            raise source.broken("table-too-large", "a snapshot table larger than is read", at)
    claim_snapshot_table(source, claims, header, end - header.snapshot_offset)


def list_snapshots(source: ImageSource, header: Header, *, most: int) -> tuple[Snapshot, ...]:
    """The first `most` of a table that `check_snapshots` took."""
    found = []
    at = header.snapshot_offset
    for _ in range(min(header.snapshot_count, most)):
        entry = layout.SNAPSHOT.unpack(source.read(at, layout.SNAPSHOT.size))
        _, _, id_bytes, name_bytes, seconds, _, _, state, extra_bytes = entry
        at += layout.SNAPSHOT.size
        extra = source.read(at, extra_bytes)
        at += extra_bytes
        said = source.read(at, id_bytes + name_bytes)
        at = round_up(at + len(said), 8)
        if extra_bytes >= _LARGE_STATE.size:
            (state,) = _LARGE_STATE.unpack_from(extra)
        size = None
        if extra_bytes >= _EXTRA.size:
            _, size = _EXTRA.unpack_from(extra)
        name = said[id_bytes:].decode("utf-8", "replace")
        number = said[:id_bytes].decode("utf-8", "replace")
        found.append(Snapshot(number, name, time_text(seconds), state, size))
    return tuple(found)
