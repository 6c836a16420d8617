"""A raw image file, read at its exact size."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator

from diskwright.errors import ImageBroken, InputUnreadable, SourceChanged
from diskwright.model.extent import Extent, ExtentKind
from diskwright.model.units import SECTOR, round_up

_PARALLEL = 3
_STEP = 64 << 10


class LocalReader:
    """`BlockReader` over a descriptor, which it takes over; the file position is never used.

    The disk's size is `exact_size` rounded up to 512 bytes; what lies beyond the file's end reads
    as zeros. Holes come from the file system (SEEK_DATA, SEEK_HOLE); one without them says data.
    """

    def __init__(self, fd: int, *, exact_size: int, name: str) -> None:
        self._fd = fd
        self._exact_size = exact_size
        self._name = name
        self.size = round_up(exact_size, SECTOR)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_SEQUENTIAL)

    @property
    def parallel(self) -> int:
        return _PARALLEL

    def read_into(self, offset: int, buffer: memoryview) -> None:
        """Raises SourceChanged where the file has become shorter."""
        self._check_range(offset, len(buffer))
        inside = max(min(len(buffer), self._exact_size - offset), 0)
        done = 0
        while done < inside:
            try:
                count = os.preadv(self._fd, [buffer[done:inside]], offset + done)
            except OSError as error:
                if error.errno == errno.EIO:
                    raise ImageBroken(
                        self._name, "unreadable", "its disk can't read it", offset + done
                    ) from None
                raise InputUnreadable(self._name, error.strerror or "it can't be read") from None
            if count == 0:
                raise SourceChanged(self._name, "it became shorter")
            done += count
        buffer[inside:] = bytes(len(buffer) - inside)

    def extents(self, start: int, length: int) -> Iterator[Extent]:
        self._check_range(start, length)
        cursor, end = start, start + length
        while cursor < end:
            data = self._next(cursor, os.SEEK_DATA, end)
            if data > cursor:
                yield Extent(cursor, data - cursor, ExtentKind.HOLE)
            if data < end:
                hole = self._next(data, os.SEEK_HOLE, end)
                yield Extent(data, hole - data, ExtentKind.DATA)
                cursor = hole
            else:
                cursor = end

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> LocalReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _next(self, offset: int, what: int, end: int) -> int:
        """The next data or hole from `offset` on, at most `end`; a hole beyond `offset`."""
        if offset >= self._exact_size:
            return end  # the zeros at the edge belong to what came before them
        try:
            found = os.lseek(self._fd, offset, what)
        except OSError as error:
            if error.errno == errno.ENXIO:  # no data from here to the end of the file
                return end
            if error.errno == errno.EINVAL:  # no such notion here: all is data
                return offset if what == os.SEEK_DATA else end
            raise InputUnreadable(self._name, error.strerror or "it can't be read") from None
        if what == os.SEEK_HOLE:
            if found >= self._exact_size:
                return end
            if found <= offset:
                # An unwritten extent is data while it is cached (ext4, XFS): as it was said to be
                # data it is read as such, a little of it at a time
                return min(offset + _STEP, end)
        return min(found, end)

    def _check_range(self, offset: int, length: int) -> None:
        if offset < 0 or length < 0 or offset + length > self.size:
            raise ValueError(f"[{offset}, {offset + length}) is not within {self.size} bytes")
