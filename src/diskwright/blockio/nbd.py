"""A virtual disk behind NBD connections."""

from __future__ import annotations

import queue
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from diskwright.blockio.nbd_connection import NbdConnection
from diskwright.blockio.nbd_wire import STATE_HOLE, STATE_ZERO
from diskwright.errors import ToolFailed
from diskwright.formats.limits import STALL_S
from diskwright.model.extent import Extent, ExtentKind

_MERGED_MAX = 1 << 40  # keeps an extent, and what is made of it, within bounds


class NbdReader:
    """`BlockReader` over connected stream sockets of one export, which it takes over.

    Any number of threads may use it at once; each waits for a free connection. `name` is the
    image, for errors. Reads into the caller's buffer without a copy in between.
    """

    def __init__(
        self, sockets: Sequence[socket.socket], *, name: str, stall_limit_s: float = STALL_S
    ) -> None:
        self._name = name
        self._connections: list[NbdConnection] = []
        self._free: queue.LifoQueue[NbdConnection | None] = queue.LifoQueue()
        unused = list(sockets)
        try:
            while unused:
                connection = NbdConnection(unused[0], name=name, stall_limit_s=stall_limit_s)
                unused.pop(0)
                self._connections.append(connection)
                self._free.put(connection)
            if len({c.size for c in self._connections}) != 1:
                raise ToolFailed("qemu-nbd", "its connections disagree about the size")
        except BaseException:
            for sock in unused:
                sock.close()
            self.close()
            raise
        self.size = self._connections[0].size

    @classmethod
    def from_descriptor(cls, fd: int, *, name: str, stall_limit_s: float = STALL_S) -> NbdReader:
        """Over one inherited connection that nobody has spoken on yet; takes over `fd`."""
        return cls([socket.socket(fileno=fd)], name=name, stall_limit_s=stall_limit_s)

    @property
    def parallel(self) -> int:
        return len(self._connections)

    def read_into(self, offset: int, buffer: memoryview) -> None:
        """Raises ImageBroken where the image's own bytes can't be read, ToolError otherwise."""
        _check_range(offset, len(buffer), self.size)
        with self._connection() as connection:
            connection.read_into(offset, buffer)

    def extents(self, start: int, length: int) -> Iterator[Extent]:
        """Neighbours of one kind are merged. Nothing is held between two steps."""
        _check_range(start, length, self.size)
        cursor, end = start, start + length
        begun = start
        kind: ExtentKind | None = None
        while cursor < end:
            with self._connection() as connection:
                found = connection.block_status(cursor, end - cursor)
            for size, flags in found:
                if cursor == end:
                    break  # only the last may reach beyond what was asked; qemu clips it
                this = _kind(flags)
                if kind is not None and (this is not kind or cursor - begun >= _MERGED_MAX):
                    yield Extent(begun, cursor - begun, kind)
                    begun = cursor
                kind = this
                cursor = min(cursor + size, end)
        if kind is not None:
            yield Extent(begun, cursor - begun, kind)

    def close(self) -> None:
        """Also ends what other threads are waiting for, with ToolFailed."""
        self._free.put(None)
        for connection in self._connections:
            connection.close()

    def __enter__(self) -> NbdReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _connection(self) -> Iterator[NbdConnection]:
        connection = self._free.get()
        try:
            if connection is None:
                raise ToolFailed("qemu-nbd", "the reader is closed")
            yield connection
        finally:
            self._free.put(connection)


def _kind(flags: int) -> ExtentKind:
    """NBD's "base:allocation". A hole without the zero bit promises nothing: it has to be read."""
    if not flags & STATE_ZERO:
        return ExtentKind.DATA
    return ExtentKind.HOLE if flags & STATE_HOLE else ExtentKind.ZERO


def _check_range(offset: int, length: int, size: int) -> None:
    if offset < 0 or length < 0 or offset + length > size:
        raise ValueError(f"[{offset}, {offset + length}) is not within {size} bytes")
