"""Where the equally long blocks of a disk lie in its file, as a table names them in any order."""

from __future__ import annotations

from array import array
from collections.abc import Iterable

from diskwright.formats import limits
from diskwright.formats.source import ImageSource


class BlockPlaces:
    """Starts of blocks, in units of `unit` bytes, each block `length` units long.

    The file is divided into slots of one block's length. Blocks that begin in one slot overlap, so
    each slot keeps one start; two neighbours are compared at the end. That takes no sorting, and
    memory by the file's length only.
    """

    def __init__(self, source: ImageSource, *, unit: int, length: int) -> None:
        """Raises ImageUnsupported, `table-too-large`, where the file is too long for it."""
        slots = source.size // (unit * length) + 1
        if slots > limits.BLOCK_PLACES:
            detail = f"room for {slots} blocks, where {limits.BLOCK_PLACES} are the most"
            raise source.unsupported("table-too-large", detail)
        self._unit = unit
        self._length = length
        self._starts = array("I", bytes(4 * slots))  # plus 1: 0 is none

    def add(self, starts: Iterable[int]) -> int | None:
        """Keep starts that lie in the file; the first that certainly lies on another, or None."""
        kept = self._starts
        length = self._length
        for start in starts:
            slot = start // length
            if kept[slot]:
                return start
            kept[slot] = start + 1
        return None

    def overlap(self) -> int | None:
        """The start of a block on which the one before it runs, or None."""
        end = 0
        for start in filter(None, self._starts):
            if start < end:
                return start - 1
            end = start + self._length
        return None

    def touch(self, offset: int, length: int) -> bool:
        """Whether a block lies on the bytes `[offset, offset + length)`."""
        block = self._unit * self._length
        first = max(0, offset // block - 1)
        near = self._starts[first : (offset + length - 1) // block + 1]
        return any(
            (start - 1) * self._unit < offset + length and (start - 1) * self._unit + block > offset
            for start in filter(None, near)
        )
