"""Bytes that arrive in blocks, read in other lengths: what cpio and the codecs pull from."""

from __future__ import annotations

from collections.abc import Iterator


class Feed:
    """Forward only. Memory is one block, and what `take` and `peek` are asked for."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._block = b""
        self._at = 0
        self.consumed = 0  # bytes that were taken or skipped

    def peek(self, length: int) -> bytes:
        """The next `length` bytes, fewer at the end; they stay."""
        while len(self._block) - self._at < length:
            more = next(self._blocks, None)
            if more is None:
                break
            self._block = self._block[self._at :] + more
            self._at = 0
        return self._block[self._at : self._at + length]

    def take(self, length: int) -> bytes:
        """The next `length` bytes, fewer at the end."""
        data = self.peek(length)
        self._at += len(data)
        self.consumed += len(data)
        return data

    def take_block(self) -> bytes:
        """Whatever is at hand, at least one byte; empty at the end."""
        self.peek(1)
        return self.take(len(self._block) - self._at)

    def skip(self, length: int) -> int:
        """Pass over `length` bytes; returns how many there were."""
        left = length
        while left:
            here = min(left, len(self._block) - self._at)
            if not here and not self.peek(1):
                break
            self._at += here
            left -= here
        self.consumed += length - left
        return length - left

    def skip_zeros(self) -> int:
        """Pass over zero bytes; returns how many."""
        passed = 0
        while self.peek(1) == b"\0":
            rest = self._block[self._at :].lstrip(b"\0")
            passed += self.skip(len(self._block) - self._at - len(rest))
        return passed

    def give_back(self, data: bytes) -> None:
        """Put bytes that were taken in front again."""
        self._block = data + self._block[self._at :]
        self._at = 0
        self.consumed -= len(data)
