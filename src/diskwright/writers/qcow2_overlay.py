"""An empty qcow2 file over another one: what is written goes into it, all the rest is read below.

0        header, the backing file's format and its name     emitted last
64 KiB   L1 table, all zeros: nothing is mapped yet
         refcount table
         refcount block
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from diskwright.formats.limits import QCOW2_BACKING_NAME_BYTES
from diskwright.formats.qemu import driver_of
from diskwright.model.image import ImageFormat
from diskwright.model.stored import Chunk
from diskwright.writers.qcow2_packing import check_size
from diskwright.writers.qcow2_tables import CLUSTER, Backing, Tables


def can_name(path: str) -> bool:
    """Whether an overlay's header has room for `path`."""
    return len(os.fsencode(path)) <= QCOW2_BACKING_NAME_BYTES


def overlay_chunks(*, virtual_size: int, base: str, base_format: ImageFormat) -> Iterator[Chunk]:
    """The whole file, forward but for its head. `base` is an absolute path that `can_name` takes:
    after a leading slash qemu sees no protocol in it. The disk is as large as the base's.

    ValueError for what no caller should ask for.
    """
    check_size(virtual_size)
    if not os.path.isabs(base) or not can_name(base):
        raise ValueError(f"no name for a backing file: {base!r}")
    backing = Backing(os.fsencode(base), driver_of(base_format, base))
    return Tables(virtual_size, backing=backing).chunks(CLUSTER)
