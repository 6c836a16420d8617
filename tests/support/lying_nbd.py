"""An NBD server that negotiates honestly and then answers each request as it is told to."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass

from diskwright.blockio import nbd_wire as wire


@dataclass(frozen=True)
class Request:
    command: int
    handle: int
    offset: int
    length: int


Answer = Callable[[Request], bytes]


def chunk(handle, kind, payload=b"", *, done=True, magic=wire.CHUNK_MAGIC, length=None):
    length = len(payload) if length is None else length
    return wire.CHUNK.pack(magic, int(done), kind, handle, length) + payload


def data(request, start, body, *, done=True, handle=None):
    handle = request.handle if handle is None else handle
    payload = wire.DATA_OFFSET.pack(start) + body
    return chunk(handle, wire.CHUNK_OFFSET_DATA, payload, done=done)


def hole(request, start, length, *, done=True):
    payload = wire.HOLE.pack(start, length)
    return chunk(request.handle, wire.CHUNK_OFFSET_HOLE, payload, done=done)


def error(request, number, *, offset=None, done=True):
    payload = wire.ERROR.pack(number, 4) + b"oops"
    kind = wire.CHUNK_ERROR
    if offset is not None:
        kind, payload = wire.CHUNK_ERROR_OFFSET, payload + wire.ERROR_OFFSET.pack(offset)
    return chunk(request.handle, kind, payload, done=done)


def status(request, *extents, context=1, done=True):
    payload = struct.pack(">I", context) + b"".join(wire.EXTENT.pack(*e) for e in extents)
    return chunk(request.handle, wire.CHUNK_BLOCK_STATUS, payload, done=done)


class LyingServer:
    """`client` is the socket to give to a reader. The thread ends with the connection."""

    def __init__(self, answer: Answer, *, size: int = 1 << 20, greeting: bytes | None = None):
        self.client, self._sock = socket.socketpair()
        self._answer = answer
        self._size = size
        self._greeting = greeting or wire.GREETING.pack(wire.MAGIC, wire.OPTION_MAGIC, 3)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.close()
        self._sock.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._sock.close()

    def _serve(self) -> None:
        try:
            self._negotiate()
            while True:
                magic, _, command, handle, offset, length = wire.REQUEST.unpack(
                    self._take(wire.REQUEST.size)
                )
                assert magic == wire.REQUEST_MAGIC
                self._sock.sendall(self._answer(Request(command, handle, offset, length)))
        except (EOFError, OSError):
            self._sock.shutdown(socket.SHUT_WR)

    def _negotiate(self) -> None:
        self._sock.sendall(self._greeting)
        assert self._take(4) == wire.CLIENT_FLAGS
        while True:
            _, option, length = wire.OPTION.unpack(self._take(wire.OPTION.size))
            self._take(length)
            if option == wire.OPT_SET_META_CONTEXT:
                self._reply(option, wire.REP_META_CONTEXT, struct.pack(">I", 1) + wire.CONTEXT)
            if option == wire.OPT_GO:
                self._reply(option, wire.REP_INFO, wire.INFO_EXPORT_DATA.pack(0, self._size, 1))
            self._reply(option, wire.REP_ACK, b"")
            if option == wire.OPT_GO:
                return

    def _reply(self, option: int, kind: int, body: bytes) -> None:
        head = wire.OPTION_REPLY.pack(wire.OPTION_REPLY_MAGIC, option, kind, len(body))
        self._sock.sendall(head + body)

    def _take(self, length: int) -> bytes:
        out = b""
        while len(out) < length:
            part = self._sock.recv(length - len(out))
            if not part:
                raise EOFError
            out += part
        return out
