"""A part's bytes as the file that botocore wants, without a copy of them."""

from __future__ import annotations

import io
from collections.abc import Callable

# urllib3 asks for 16 KiB at a time; more in one go spares system calls and does it no harm.
_BLOCK = 256 << 10


class Body(io.RawIOBase):
    """Readable and seekable over `data`; what `read` returns are views of it.

    `look` is called before each read: what it raises ends the sending.
    """

    def __init__(self, data: memoryview, *, look: Callable[[], None] = lambda: None) -> None:
        self._data = data
        self._look = look
        self._at = 0

    def __len__(self) -> int:
        return len(self._data)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: len(self._data)}[whence]
        self._at = max(0, base + offset)
        return self._at

    def read(self, size: int | None = -1) -> memoryview:
        self._look()
        wanted = len(self._data) if size is None or size < 0 else max(size, _BLOCK)
        piece = self._data[self._at : self._at + wanted]
        self._at += len(piece)
        return piece
