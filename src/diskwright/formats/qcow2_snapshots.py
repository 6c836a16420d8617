"""The snapshot table of a qcow2 file: walked to its end, and not used. The active state is read."""

from __future__ import annotations

from diskwright.formats import limits
from diskwright.formats import qcow2_layout as layout
from diskwright.formats.qcow2_layout import Header
from diskwright.formats.qcow2_tables import Claims, claim_snapshot_l1, claim_snapshot_table
from diskwright.formats.source import ImageSource
from diskwright.model.units import round_up


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
