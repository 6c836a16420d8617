"""Bytes to a file whole, and on their way to the disk before somebody waits for them."""

from __future__ import annotations

import os


def write_all(fd: int, data: memoryview, offset: int) -> None:
    """All of `data` at `offset`, however little the system takes at once. Raises OSError."""
    while data:
        written = os.pwrite(fd, data, offset)
        data = data[written:]
        offset += written


def begin_writeback(fd: int, offset: int, length: int) -> None:
    """Start writing the range, and do not wait: the `fsync` at the end then finds little to do.

    POSIX_FADV_DONTNEED writes dirty pages asynchronously (Linux mm/fadvise.c). They are not clean
    yet when it looks for pages to drop, so they stay in the page cache for the file's next reader.
    """
    os.posix_fadvise(fd, offset, length, os.POSIX_FADV_DONTNEED)
