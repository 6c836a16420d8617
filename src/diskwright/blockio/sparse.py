"""A stream of bytes into a file in which zeros take no room."""

from __future__ import annotations

import os

from diskwright.blockio.writeback import write_all

_PIECE = 1 << 20
_HOLE = 64 << 10  # no smaller one is made: file systems keep a list of them
_ZEROS = bytes(_HOLE)


class SparseFile:
    """Writes to `fd`, an empty file of the caller's; `size` is what was taken so far."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._buffer = bytearray(_PIECE)
        self._view = memoryview(self._buffer)
        self._filled = 0
        self.size = 0

    def take_from(self, source: int) -> int:
        """Read once from the descriptor `source`; how many bytes that were, 0 at its end.

        Raises OSError.
        """
        count = os.readv(source, [self._view[self._filled :]])
        self._filled += count
        self.size += count
        if self._filled == _PIECE:
            self._store()
        return count

    def finish(self) -> None:
        """All is in the file, which has its size. Raises OSError."""
        self._store()
        os.ftruncate(self._fd, self.size)

    def _store(self) -> None:
        """What lies in the buffer, but for blocks of zeros; neighbours in one write."""
        base = self.size - self._filled
        begun = 0
        for at in range(0, self._filled, _HOLE):
            length = min(_HOLE, self._filled - at)
            if self._buffer.startswith(_ZEROS[:length], at):
                self._write(base, begun, at)
                begun = at + length
        self._write(base, begun, self._filled)
        self._filled = 0

    def _write(self, base: int, start: int, end: int) -> None:
        write_all(self._fd, self._view[start:end], base + start)
