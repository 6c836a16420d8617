"""Bounds on what is read of an untrusted image, each above what any honest file holds.

The 32 MiB, 8 MiB, 65,536 and 1 KiB ones are those of QEMU (block/qcow2.h), which reads the file
after us: what lies above them can't be opened anyway.
"""

from __future__ import annotations

from diskwright.model.units import KIB, MIB

HEAD_BYTES = 1 * MIB  # detection reads this much of the start ...
TAIL_BYTES = 64 * KIB  # ... and this much of the end
SMALLEST_FILE = 512

READ_PIECE = 64 * KIB  # a table is read in pieces that stay in the processor's cache

QCOW2_L1_BYTES = 32 * MIB
QCOW2_REFCOUNT_TABLE_BYTES = 8 * MIB
QCOW2_SNAPSHOTS = 65_536
QCOW2_SNAPSHOT_EXTRA_BYTES = 1 * KIB
QCOW2_SNAPSHOT_TABLE_BYTES = 16 * MIB
QCOW2_SNAPSHOT_L1_BYTES = 256 * MIB  # of all snapshots together
QCOW2_BITMAPS = 65_535
QCOW2_BITMAP_DIRECTORY_BYTES = 64 * MIB
QCOW2_EXTENSIONS = 1_024
QCOW2_BACKING_NAME_BYTES = 1_023

# Time: an L2 entry takes about 0.1 us, a table 20 us. All tables of 2 TiB in 64 KiB clusters, or of
# 8 GiB in 512 byte ones, stay within 5 s, as any file made to cost time does.
QCOW2_L2_TABLES = 1 << 18
QCOW2_L2_BYTES = 256 * MIB
