"""The size that a header says its disk has."""

from __future__ import annotations

from diskwright.formats.limits import LARGEST_DISK
from diskwright.formats.source import ImageSource
from diskwright.model.units import SECTOR, format_size


def check_virtual_size(
    source: ImageSource, size: int, offset: int | None, *, most: int = LARGEST_DISK
) -> None:
    """At least a sector, whole sectors, and at most the `most` bytes that the format can hold.

    Raises ImageBroken or ImageUnsupported of the field at `offset`.
    """
    if size > most:
        detail = f"a virtual size of {size} bytes, where {format_size(most)} are the most"
        raise source.broken("size-too-large", detail, offset)
    if size < SECTOR:
        raise source.broken("too-short", f"a virtual size of {size} bytes", offset)
    if size % SECTOR:
        detail = f"a virtual size of {size} bytes is no multiple of {SECTOR}"
        raise source.unsupported("size-unaligned", detail, offset)
