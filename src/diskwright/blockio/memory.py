"""A virtual disk in memory, for tests and for users: from bytes, from pieces, or from a picture.

    MemoryReader.of_picture("A0C-")

is a disk of four units: one full of the letter A, one stored as zeros, one full of C, and a hole.
"""

from __future__ import annotations

import bisect
import errno
import random
import threading
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

from diskwright.model.extent import Extent, ExtentKind
from diskwright.model.units import KIB

_NOISE, _BLANK, _ZERO, _HOLE = "?", ".", "0", "-"


class MemoryReader:
    """A `BlockReader` of `size` bytes that holds only its pieces, so a disk of 64 TiB is small.

    `pieces` maps an offset to data, `zeros` are `(start, length)` of stored zeros; the rest is a
    hole. With `fail_at=n` the n-th read, counted from 1, and all later ones raise `error`.
    """

    def __init__(
        self,
        size: int,
        pieces: Mapping[int, bytes],
        zeros: Iterable[tuple[int, int]] = (),
        *,
        parallel: int = 2,
        fail_at: int | None = None,
        error: Exception | None = None,
    ) -> None:
        extents = [Extent(start, len(data), ExtentKind.DATA) for start, data in pieces.items()]
        extents += [Extent(start, length, ExtentKind.ZERO) for start, length in zeros]
        self._extents = tuple(_with_holes(sorted(extents, key=lambda e: e.start), size))
        self._ends = [extent.end for extent in self._extents]
        self._pieces = dict(pieces)
        self._size = size
        self._parallel = parallel
        self._fail_at = fail_at
        self._error = error or OSError(errno.EIO, "told to fail")
        self._lock = threading.Lock()
        self.reads = 0
        self.closed = False

    @classmethod
    def of_bytes(cls, data: bytes, *, fail_at: int | None = None) -> MemoryReader:
        """A disk that is one extent of data."""
        return cls(len(data), {0: data} if data else {}, fail_at=fail_at)

    @classmethod
    def of_picture(
        cls,
        picture: str,
        *,
        unit: int = 64 * KIB,
        size: int | None = None,
        fail_at: int | None = None,
        error: Exception | None = None,
    ) -> MemoryReader:
        """A unit for each character, the last one cut so that the disk has `size` bytes.

        A letter is a unit full of it, `?` noise that does not compress (always the same at the
        same place), `.` data that happens to be zero, `0` stored zeros, `-` a hole.
        """
        size = unit * len(picture) if size is None else size
        if not unit * (len(picture) - 1) < size <= unit * len(picture):
            raise ValueError(f"{size} bytes do not end in the last of {len(picture)} units")
        pieces: dict[int, bytes] = {}
        zeros: list[tuple[int, int]] = []
        for index, mark in enumerate(picture):
            start = index * unit
            length = min(unit, size - start)
            if mark == _ZERO:
                zeros.append((start, length))
            elif mark != _HOLE:
                pieces[start] = _fill(mark, index, length)
        return cls(size, pieces, zeros, fail_at=fail_at, error=error)

    @property
    def size(self) -> int:
        return self._size

    @property
    def parallel(self) -> int:
        return self._parallel

    def extents(self, start: int, length: int) -> Iterator[Extent]:
        end = start + length
        for extent in self._extents[bisect.bisect_right(self._ends, start) :]:
            if extent.start >= end:
                return
            first, last = max(extent.start, start), min(extent.end, end)
            yield Extent(first, last - first, extent.kind)

    def read_into(self, offset: int, buffer: memoryview) -> None:
        with self._lock:
            self.reads += 1
            if self._fail_at is not None and self.reads >= self._fail_at:
                raise self._error
        if not 0 <= offset <= self._size - len(buffer):
            raise ValueError(f"{len(buffer)} bytes at {offset} are not all on the disk")
        for extent in self.extents(offset, len(buffer)):
            at = extent.start - offset
            if extent.is_data:
                data, begin = self._piece(extent.start)
                buffer[at : at + extent.length] = data[begin : begin + extent.length]
            else:
                buffer[at : at + extent.length] = bytes(extent.length)

    def close(self) -> None:
        self.closed = True

    def _piece(self, offset: int) -> tuple[memoryview, int]:
        whole = self._extents[bisect.bisect_right(self._ends, offset)]
        return memoryview(self._pieces[whole.start]), offset - whole.start


def _fill(mark: str, index: int, length: int) -> bytes:
    if mark == _BLANK:
        return bytes(length)
    if mark == _NOISE:
        return random.Random(index).randbytes(length)  # noqa: S311 - noise, not a secret
    if mark.isascii() and mark.isalpha():
        return mark.encode() * length
    raise ValueError(f"{mark!r} has no meaning in a picture")


def _with_holes(extents: list[Extent], size: int) -> Iterator[Extent]:
    """The extents with holes between them; refuses what overlaps, is empty or leaves the disk."""
    edges = [Extent(0, 0, ExtentKind.HOLE), *extents, Extent(size, 0, ExtentKind.HOLE)]
    for extent, following in pairwise(edges):
        if extent.length:
            yield extent
        if extent.end > following.start:
            raise ValueError(f"extents overlap at {following.start}")
        if extent.end < following.start:
            yield Extent(extent.end, following.start - extent.end, ExtentKind.HOLE)
    if any(extent.length <= 0 for extent in extents):
        raise ValueError("an extent is empty")
