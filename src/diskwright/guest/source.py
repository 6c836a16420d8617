"""Bytes of a disk for readers that jump about: cached, bounded, never short.

What a reader may cost is limited here, once for everything that is read of a disk: the number of
calls, and the bytes fetched from below. A reader that asks for more is at work on bytes made to
keep it busy.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Protocol

from diskwright.errors import DiskwrightError
from diskwright.guest.reading import Unreadable, damaged
from diskwright.model.units import KIB, MIB

BLOCK = 64 * KIB
BYPASS = 512 * KIB  # longer reads are sequential: the cache would only lose what it holds
MAX_READ = 64 * MIB
BUDGET_BYTES = 4096 * MIB
BUDGET_CALLS = 4_000_000


class Disk(Protocol):
    """What is needed of a `BlockReader`."""

    @property
    def size(self) -> int: ...

    def read_into(self, offset: int, buffer: memoryview) -> None: ...


class ByteSource(Protocol):
    """A disk, or a part of one. Offsets and lengths are bytes from its own start."""

    @property
    def size(self) -> int: ...

    def read(self, offset: int, length: int) -> bytes:
        """Exactly `length` bytes; raises `Unreadable`, also for bytes that are not there."""

    def window(self, start: int, length: int) -> ByteSource:
        """A part, for whom nothing outside it can be read; raises where it does not fit."""


class Source:
    """The whole disk. `budget_bytes` are fetched from it at most, in `budget_calls` reads."""

    def __init__(
        self,
        disk: Disk,
        *,
        cache_bytes: int = 8 * MIB,
        budget_bytes: int = BUDGET_BYTES,
        budget_calls: int = BUDGET_CALLS,
    ) -> None:
        self._disk = disk
        self._size = disk.size
        self._cache: OrderedDict[int, bytes] = OrderedDict()
        self._cache_blocks = max(1, cache_bytes // BLOCK)
        self._budget_bytes = budget_bytes
        self._budget_calls = budget_calls
        self.bytes_fetched = 0  # from below, so far
        self.fetches = 0

    @property
    def size(self) -> int:
        return self._size

    def read(self, offset: int, length: int) -> bytes:
        check_range(offset, length, self._size)
        self._budget_calls -= 1
        if self._budget_calls < 0:
            raise Unreadable("budget", "takes more reads than any sound disk")
        if not length:
            return b""
        if length > BYPASS:
            return self._fetch(offset, length)
        first, last = offset // BLOCK, (offset + length - 1) // BLOCK
        if first == last:
            at = offset - first * BLOCK
            return self._block(first)[at : at + length]
        joined = b"".join(self._block(i) for i in range(first, last + 1))
        at = offset - first * BLOCK
        return joined[at : at + length]

    def window(self, start: int, length: int) -> ByteSource:
        return Window(self, start, length)

    def _block(self, index: int) -> bytes:
        block = self._cache.get(index)
        if block is not None:
            self._cache.move_to_end(index)
            return block
        start = index * BLOCK
        block = self._fetch(start, min(BLOCK, self._size - start))
        self._cache[index] = block
        if len(self._cache) > self._cache_blocks:
            self._cache.popitem(last=False)
        return block

    def _fetch(self, offset: int, length: int) -> bytes:
        self._budget_bytes -= length
        if self._budget_bytes < 0:
            raise Unreadable("budget", "takes more bytes than are read of one disk")
        self.bytes_fetched += length
        self.fetches += 1
        buffer = bytearray(length)
        try:
            self._disk.read_into(offset, memoryview(buffer))
        except (DiskwrightError, OSError) as error:
            raise damaged(f"the disk can't be read at byte {offset}: {error}") from error
        return bytes(buffer)


class Window:
    """`[start, start + length)` of a source, with offsets of its own."""

    def __init__(self, source: ByteSource, start: int, length: int) -> None:
        check_range(start, length, source.size, most=source.size)
        self._source = source
        self._start = start
        self._size = length

    @property
    def size(self) -> int:
        return self._size

    def read(self, offset: int, length: int) -> bytes:
        check_range(offset, length, self._size)
        return self._source.read(self._start + offset, length)

    def window(self, start: int, length: int) -> ByteSource:
        return Window(self, start, length)


def check_range(offset: int, length: int, size: int, *, most: int = MAX_READ) -> None:
    """Raises `Unreadable` for what is not among `size` bytes, or more than is read at once."""
    if offset < 0 or length < 0 or offset + length > size:
        raise damaged(f"bytes {offset} to {offset + length} are not among the {size} there are")
    if length > most:
        raise Unreadable("too-large", f"{length} bytes in one read")
