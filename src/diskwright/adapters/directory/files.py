"""Durable writes and holes, beneath the directory store. Raises OSError; the store translates."""

from __future__ import annotations

import errno
import fcntl
import os
import struct

from diskwright.blockio.writeback import begin_writeback, write_all

PIECE = 64 << 10  # whole pieces of zeros stay holes; a file system's block is at most this
_ZEROS = bytes(PIECE)

# ioctl_ficlonerange(2), linux/fs.h: FICLONERANGE; source descriptor, offset, length, own offset
_SHARE = 0x4020940D
_SHARED_RANGE = struct.Struct("=qQQQ")
_NOT_SHARED = {errno.EOPNOTSUPP, errno.ENOTTY, errno.ENOSYS, errno.EINVAL, errno.EXDEV, errno.EPERM}


def write_part(fd: int, data: memoryview, offset: int) -> None:
    """Fill `[offset, offset + len(data))`; pieces of zeros stay holes where nothing lies yet.

    The file may stay shorter than that: growing it here would race with parts that other threads
    write past its end (`truncate` to a size that was right a moment ago cuts them off).
    """
    if _holds_data(fd, offset, offset + len(data)):
        write_all(fd, data, offset)
    else:
        _write_sparse(fd, data, offset)
    begin_writeback(fd, offset, len(data))


def share_part(fd: int, offset: int, source: int, source_offset: int, length: int) -> bool:
    """`length` bytes of `source` at `offset` too, without a second copy of them; holes stay holes.

    False: the file system can't, or not this range (which begins at a block, and ends at one or at
    the source's end); nothing was changed.
    """
    if not length:  # which means: to the end
        return False
    try:
        fcntl.ioctl(fd, _SHARE, _SHARED_RANGE.pack(source, source_offset, length, offset))
    except OSError as error:
        if error.errno in _NOT_SHARED:
            return False
        raise
    return True


def device_of(path: str) -> int:
    """Of the file system that `path` is on, or is going to be."""
    missing = missing_above(path)
    return os.stat(os.path.dirname(missing[-1]) if missing else path).st_dev


def _write_sparse(fd: int, data: memoryview, offset: int) -> None:
    """Runs of pieces that are not all zeros go out in one write each."""
    start = 0
    for at in range(0, len(data), PIECE):
        if data[at]:
            continue
        piece = bytes(data[at : at + PIECE])  # comparing memoryviews goes byte by byte
        if piece == _ZEROS or (len(piece) < PIECE and not any(piece)):
            write_all(fd, data[start:at], offset + start)
            start = at + len(piece)
    write_all(fd, data[start:], offset + start)


def _holds_data(fd: int, start: int, end: int) -> bool:
    """Was something written there before (a part that is sent again)?"""
    try:
        return os.lseek(fd, start, os.SEEK_DATA) < end
    except OSError as error:
        if error.errno == errno.ENXIO:  # no data from here to the end
            return False
        raise


def remove_empty(path: str, root: str) -> None:
    """Remove `path` and the folders above it, up to `root`, as far as nothing lies in them."""
    while len(path) > len(root):
        try:
            os.rmdir(path)
        except OSError as error:
            if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT):
                return
            raise
        path = os.path.dirname(path)


def make_folders(path: str) -> None:
    """With those above. Raises FileNotFoundError where another process removed one meanwhile, as it
    was empty: to be tried again."""
    try:
        os.makedirs(path, exist_ok=True)
    except FileExistsError as error:
        if os.path.lexists(path):
            if os.path.isdir(path):
                return  # removed, and made anew
            raise
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path) from error


def missing_above(path: str) -> list[str]:
    """`path` and the folders above it that are not there, the deepest first."""
    missing = []
    while not os.path.lexists(path):
        missing.append(path)
        path = os.path.dirname(path)
    return missing
