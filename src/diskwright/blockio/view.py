"""Readers around a reader: its digest, its progress, its end by the user's wish."""

from __future__ import annotations

import threading
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator

from diskwright.blockio.digest import DiskDigest
from diskwright.model.extent import Extent, ExtentKind
from diskwright.ports import BlockReader, CancelToken, Progress


class _View:
    """All of a reader as it is. Closing a view closes the reader."""

    def __init__(self, reader: BlockReader) -> None:
        self._reader = reader

    @property
    def size(self) -> int:
        return self._reader.size

    @property
    def parallel(self) -> int:
        return self._reader.parallel

    def extents(self, start: int, length: int) -> Iterator[Extent]:
        return self._reader.extents(start, length)

    def read_into(self, offset: int, buffer: memoryview) -> None:
        self._reader.read_into(offset, buffer)

    def close(self) -> None:
        self._reader.close()


class DigestView(_View):
    """Hashes what is read through it, in the thread that reads.

    Reads are whole 1 MiB blocks (the disk's last one may be short); another is a ValueError.
    """

    def __init__(self, reader: BlockReader) -> None:
        super().__init__(reader)
        self._digest = DiskDigest(reader.size)

    def read_into(self, offset: int, buffer: memoryview) -> None:
        self._digest.check(offset, len(buffer))
        self._reader.read_into(offset, buffer)
        self._digest.update(offset, buffer)

    def hexdigest(self) -> str:
        """`dw1`, before the view is closed. Raises DigestIncomplete where data was not read."""
        return self._digest.hexdigest(self._reader.extents(0, self.size), self._reader.read_into)


class ProgressView(_View):
    """Advances `progress` by the bytes of each read, one thread at a time."""

    def __init__(self, reader: BlockReader, progress: Progress) -> None:
        super().__init__(reader)
        self._progress = progress
        self._lock = threading.Lock()

    def read_into(self, offset: int, buffer: memoryview) -> None:
        self._reader.read_into(offset, buffer)
        with self._lock:
            self._progress.advance(len(buffer))


class CancelView(_View):
    """Raises Cancelled at the next read or extent once the user has asked to stop."""

    def __init__(self, reader: BlockReader, cancel: CancelToken) -> None:
        super().__init__(reader)
        self._cancel = cancel

    def extents(self, start: int, length: int) -> Iterator[Extent]:
        for extent in self._reader.extents(start, length):
            self._cancel.check()
            yield extent

    def read_into(self, offset: int, buffer: memoryview) -> None:
        self._cancel.check()
        self._reader.read_into(offset, buffer)


class LongerView(_View):
    """A disk with zeros behind it, up to `size` bytes."""

    def __init__(self, reader: BlockReader, size: int) -> None:
        super().__init__(reader)
        if size < reader.size:
            raise ValueError(f"{size} bytes are less than the disk's {reader.size}")
        self._size = size

    @property
    def size(self) -> int:
        return self._size

    def extents(self, start: int, length: int) -> Iterator[Extent]:
        within = self._within(start, length)
        if within:
            yield from self._reader.extents(start, within)
        if within < length:
            yield Extent(start + within, length - within, ExtentKind.HOLE)

    def read_into(self, offset: int, buffer: memoryview) -> None:
        within = self._within(offset, len(buffer))
        if within:
            self._reader.read_into(offset, buffer[:within])
        buffer[within:] = bytes(len(buffer) - within)

    def _within(self, offset: int, length: int) -> int:
        """How many bytes of a range are the disk's own."""
        if offset < 0 or length < 0 or offset + length > self._size:
            raise ValueError(f"[{offset}, {offset + length}) is not within {self._size} bytes")
        return max(0, min(length, self._reader.size - offset))


class ShorterView(_View):
    """The first `size` bytes of a disk."""

    def __init__(self, reader: BlockReader, size: int) -> None:
        super().__init__(reader)
        if size > reader.size:
            raise ValueError(f"{size} bytes are more than the disk's {reader.size}")
        self._size = size

    @property
    def size(self) -> int:
        return self._size

    def extents(self, start: int, length: int) -> Iterator[Extent]:
        self._check(start, length)
        return self._reader.extents(start, length)

    def read_into(self, offset: int, buffer: memoryview) -> None:
        self._check(offset, len(buffer))
        self._reader.read_into(offset, buffer)

    def _check(self, offset: int, length: int) -> None:
        if offset < 0 or length < 0 or offset + length > self._size:
            raise ValueError(f"[{offset}, {offset + length}) is not within {self._size} bytes")


class StoredView(_View):
    """A disk of which more is known than its reader tells: data outside of `runs` are holes.

    `runs` are `(start, end)`, ascending and apart.
    """

    def __init__(self, reader: BlockReader, runs: Iterable[tuple[int, int]]) -> None:
        super().__init__(reader)
        self._starts = array("Q")
        self._ends = array("Q")
        for start, end in runs:
            self._starts.append(start)
            self._ends.append(end)

    def extents(self, start: int, length: int) -> Iterator[Extent]:
        for extent in self._reader.extents(start, length):
            if extent.is_data:
                yield from self._known(extent.start, extent.end)
            else:
                yield extent

    def _known(self, cursor: int, end: int) -> Iterator[Extent]:
        index = max(0, bisect_right(self._starts, cursor) - 1)
        while cursor < end and index < len(self._starts):
            start = max(cursor, min(self._starts[index], end))
            stop = max(start, min(self._ends[index], end))
            if start > cursor and stop > start:
                yield Extent(cursor, start - cursor, ExtentKind.HOLE)
            if stop > start:
                yield Extent(start, stop - start, ExtentKind.DATA)
                cursor = stop
            elif self._starts[index] >= end:
                break
            index += 1
        if cursor < end:
            yield Extent(cursor, end - cursor, ExtentKind.HOLE)
