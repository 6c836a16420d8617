"""Which of a VHD's two sizes its disk has.

The footer has a size in bytes and a geometry, which can tell few sizes. Some programs go by one,
some by the other, and QEMU by the creator's name: where they differ, a disk may lose its tail.
"""

from __future__ import annotations

from diskwright.formats.source import ImageSource, shown
from diskwright.formats.vhd import layout
from diskwright.formats.vhd.layout import Footer
from diskwright.formats.virtual_size import check_virtual_size
from diskwright.model.image import Problem, VhdSize

_SIZE_AT = 48  # of the current size in the footer


def decide_size(
    source: ImageSource, footer: Footer, at: int, room: int
) -> tuple[int, VhdSize, tuple[Problem, ...]]:
    """The size, which of the two it is, and `size-ambiguous` where that is our decision.

    The footer stands at `at`; the file has `room` bytes for the disk. Of two sizes the larger one
    that has room, unless the creator is known to mean the current size.
    """
    current, by_geometry = footer.current_size, footer.geometry.size
    check_virtual_size(source, current, at + _SIZE_AT, most=layout.SIZE_MAX)
    fits = [size for size in (current, by_geometry) if 0 < size <= room]
    means_current = (
        current == by_geometry
        or footer.creator in layout.SIZE_CREATORS
        or by_geometry == layout.GEOMETRY_MAX_BYTES
    )
    size = current if means_current or not fits else max(fits)
    decided = VhdSize.CURRENT_SIZE if size == current else VhdSize.GEOMETRY
    if means_current:
        return size, decided, ()
    detail = (
        f"it says {current} bytes, and its geometry {by_geometry}; its creator "
        f"{shown(footer.creator.decode('latin-1'))} does not tell which: read as {size}"
    )
    return size, decided, (Problem("size-ambiguous", detail),)
