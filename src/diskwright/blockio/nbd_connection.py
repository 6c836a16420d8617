"""One NBD connection: handshake, pipelined reads, block status. Used by one thread at a time.

A server that parses a hostile image may lie in every field, so every reply is matched with what
was asked: bytes land in the caller's buffer only inside the range of an open request, never
twice, and a request is done only when each of its bytes came. Anything else ends the connection.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from contextlib import suppress
from typing import NoReturn

from diskwright.blockio import nbd_wire as wire
from diskwright.errors import ImageBroken, ToolFailed, ToolStalled

# Measured with qemu 7.2: 512 KiB are fastest (2.5 GB/s); the server holds each one in memory
REQUEST_BYTES = 512 << 10
IN_FLIGHT = 4
_BLOCK_STATUS_MAX = 2 << 30  # requests hold 32 bits
_TOOL = "qemu-nbd"


class _Pending:
    """A read under way: which bytes of it have come, as ascending, disjoint pieces."""

    __slots__ = ("covered", "end", "pieces", "pieces_max", "start")

    def __init__(self, start: int, end: int) -> None:
        self.start = start
        self.end = end
        self.covered = 0
        self.pieces: list[tuple[int, int]] = []
        self.pieces_max = (end - start) // 512 + 2

    def add(self, start: int, length: int) -> bool:
        """False where the piece is empty, lies outside, or overlaps what came before."""
        end = start + length
        if length < 1 or start < self.start or end > self.end:
            return False
        pieces = self.pieces
        at = len(pieces)
        while at and pieces[at - 1][0] >= start:
            at -= 1
        if (at and pieces[at - 1][1] > start) or (at < len(pieces) and pieces[at][0] < end):
            return False
        if at and pieces[at - 1][1] == start:
            pieces[at - 1] = (pieces[at - 1][0], end)
        else:
            pieces.insert(at, (start, end))
        self.covered += length
        return len(pieces) <= self.pieces_max

    @property
    def complete(self) -> bool:
        return self.covered == self.end - self.start


class NbdConnection:
    """Takes over a connected stream socket. `name` is the image, for errors.

    Raises ToolFailed where the server does not follow the protocol or goes away, ToolStalled
    where it is silent for `stall_limit_s`, ImageBroken where it reports an error of the medium.
    """

    def __init__(self, sock: socket.socket, *, name: str, stall_limit_s: float) -> None:
        self._sock = sock
        self._name = name
        self._stall_limit_s = stall_limit_s
        self._handle = 0
        self._error: tuple[int, int] | None = None
        self._head = memoryview(bytearray(wire.CHUNK.size))
        # The kernel's own limits: a Python timeout would cost a poll for every receive
        sock.setblocking(True)
        limit = struct.pack("@ll", int(stall_limit_s), int(stall_limit_s % 1 * 1_000_000))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
        self.size = self._negotiate()

    def close(self) -> None:
        """May be called from any thread: it wakes one that waits."""
        with suppress(OSError):  # the server has closed it already
            self._sock.shutdown(socket.SHUT_RDWR)
        self._sock.close()

    # --- reading ---------------------------------------------------------------------------

    def read_into(self, offset: int, buffer: memoryview) -> None:
        """Fill `buffer` from `offset`; the range lies within the export."""
        self._error = None
        end = offset + len(buffer)
        cursor = offset
        pending: dict[int, _Pending] = {}
        while pending or (cursor < end and self._error is None):
            batch = b""
            while cursor < end and len(pending) < IN_FLIGHT and self._error is None:
                stop = min(cursor + REQUEST_BYTES, end)
                self._handle += 1
                pending[self._handle] = _Pending(cursor, stop)
                batch += wire.request(
                    wire.CMD_READ, self._handle, cursor, stop - cursor, flags=self._read_flags
                )
                cursor = stop
            if batch:
                self._send(batch)
            self._receive_piece(pending, offset, buffer)
        self._raise_noted_error()

    def _receive_piece(self, pending: dict[int, _Pending], base: int, buffer: memoryview) -> None:
        flags, kind, handle, length = self._receive_chunk_head()
        request = pending.get(handle)
        if request is None:
            self._lied("an answer to nothing that was asked")
        if kind == wire.CHUNK_OFFSET_DATA:
            if length <= wire.DATA_OFFSET.size:
                self._lied("a data chunk without data")
            (start,) = wire.DATA_OFFSET.unpack(self._receive(wire.DATA_OFFSET.size))
            length -= wire.DATA_OFFSET.size
            if not request.add(start, length):
                self._lied("data outside of what was asked")
            self._receive_into(buffer[start - base : start - base + length])
        elif kind == wire.CHUNK_OFFSET_HOLE:
            if length != wire.HOLE.size:
                self._lied("a hole chunk of a wrong length")
            start, hole = wire.HOLE.unpack(self._receive(length))
            if not request.add(start, hole):
                self._lied("a hole outside of what was asked")
            buffer[start - base : start - base + hole] = bytes(hole)
        elif kind in (wire.CHUNK_ERROR, wire.CHUNK_ERROR_OFFSET):
            self._note_error(kind, length, request.start)
        elif kind != wire.CHUNK_NONE or length:
            self._lied(f"chunk type {kind:#x}")
        if flags & wire.CHUNK_DONE:
            if self._error is None and not request.complete:
                self._lied("an answer with bytes missing")
            del pending[handle]

    # --- block status ----------------------------------------------------------------------

    def block_status(self, offset: int, length: int) -> list[tuple[int, int]]:
        """[(length in bytes, state flags)] from `offset`; at least one, maybe less than asked."""
        self._error = None
        self._handle += 1
        asked = min(length, _BLOCK_STATUS_MAX)
        self._send(wire.request(wire.CMD_BLOCK_STATUS, self._handle, offset, asked))
        found: list[tuple[int, int]] = []
        while True:
            flags, kind, handle, size = self._receive_chunk_head()
            if handle != self._handle:
                self._lied("an answer to nothing that was asked")
            if kind == wire.CHUNK_BLOCK_STATUS:
                if found or not self._fits_block_status(size):
                    self._lied("a block status chunk of a wrong length")
                payload = self._receive(size)
                if wire.CONTEXT_ID.unpack_from(payload)[0] != self._context:
                    self._lied("block status of another context")
                found = list(wire.EXTENT.iter_unpack(payload[wire.CONTEXT_ID.size :]))
            elif kind in (wire.CHUNK_ERROR, wire.CHUNK_ERROR_OFFSET):
                self._note_error(kind, size, offset)
            elif kind != wire.CHUNK_NONE or size:
                self._lied(f"chunk type {kind:#x}")
            if flags & wire.CHUNK_DONE:
                break
        self._raise_noted_error()
        if not found or any(size == 0 for size, _ in found):
            self._lied("block status that makes no progress")
        return found

    @staticmethod
    def _fits_block_status(size: int) -> bool:
        extents = size - wire.CONTEXT_ID.size
        return 0 < extents <= wire.MAX_BLOCK_STATUS and extents % wire.EXTENT.size == 0

    # --- handshake -------------------------------------------------------------------------

    def _negotiate(self) -> int:
        magic, option_magic, flags = wire.GREETING.unpack(self._receive(wire.GREETING.size))
        if magic != wire.MAGIC or option_magic != wire.OPTION_MAGIC:
            self._lied("no NBD greeting")
        if not flags & wire.FLAG_FIXED_NEWSTYLE or not flags & wire.FLAG_NO_ZEROES:
            self._lied("an old handshake")
        self._send(wire.CLIENT_FLAGS)
        for _ in self._ask(wire.OPT_STRUCTURED_REPLY, b""):
            self._lied("an unexpected option reply")
        contexts = [
            data
            for kind, data in self._ask(wire.OPT_SET_META_CONTEXT, wire.meta_context_data())
            if kind == wire.REP_META_CONTEXT
        ]
        if len(contexts) != 1 or contexts[0][wire.CONTEXT_ID.size :] != wire.CONTEXT:
            self._lied("no base:allocation")
        (self._context,) = wire.CONTEXT_ID.unpack_from(contexts[0])
        size = None
        for kind, data in self._ask(wire.OPT_GO, wire.go_data()):
            if kind == wire.REP_INFO and data[:2] == struct.pack(">H", wire.INFO_EXPORT):
                if size is not None or len(data) != wire.INFO_EXPORT_DATA.size:
                    self._lied("a wrong description of the export")
                _, size, flags = wire.INFO_EXPORT_DATA.unpack(data)
        if size is None or size >= 1 << 63:
            self._lied("an export without a possible size")
        # qemu 7.2 hangs up on a read error unless it may not fragment: then it reports the error
        self._read_flags = wire.CMD_FLAG_DF if flags & wire.FLAG_SEND_DF else 0
        return int(size)

    def _ask(self, option: int, data: bytes) -> Iterator[tuple[int, bytes]]:
        """The replies to an option, up to its acknowledgement."""
        self._send(wire.option(option, data))
        for _ in range(64):
            magic, about, kind, length = wire.OPTION_REPLY.unpack(
                self._receive(wire.OPTION_REPLY.size)
            )
            if magic != wire.OPTION_REPLY_MAGIC or about != option:
                self._lied("an option reply to nothing that was asked")
            if length > wire.MAX_OPTION_REPLY:
                self._lied("an option reply that is too long")
            payload = self._receive(length)
            if kind & wire.REP_ERROR_BIT:
                reason = payload.decode("utf-8", "backslashreplace")
                self._fail(f"it refuses option {option}: {reason or hex(kind)}")
            if kind == wire.REP_ACK:
                return
            yield kind, payload
        self._lied("option replies without end")

    # --- bytes and failures ----------------------------------------------------------------

    def _receive_chunk_head(self) -> tuple[int, int, int, int]:
        self._receive_into(self._head)
        magic, flags, kind, handle, length = wire.CHUNK.unpack(self._head)
        if magic != wire.CHUNK_MAGIC:
            self._lied("no structured reply")
        return flags, kind, handle, length

    def _receive(self, length: int) -> bytes:
        data = bytearray(length)
        self._receive_into(memoryview(data))
        return bytes(data)

    def _receive_into(self, view: memoryview) -> None:
        done = 0
        while done < len(view):
            try:
                count = self._sock.recv_into(view[done:], 0, socket.MSG_WAITALL)
            except BlockingIOError:
                self.close()
                raise ToolStalled(_TOOL, self._stall_limit_s) from None
            except OSError as error:
                self._fail(error.strerror or "the connection broke")
            if count == 0:
                self._fail("it closed the connection")
            done += count

    def _send(self, data: bytes) -> None:
        try:
            self._sock.sendall(data)
        except BlockingIOError:
            self.close()
            raise ToolStalled(_TOOL, self._stall_limit_s) from None
        except OSError as error:
            self._fail(error.strerror or "the connection broke")

    def _note_error(self, kind: int, length: int, start: int) -> None:
        """Keep the first error; the answers to the other requests still come and are taken."""
        if not wire.ERROR.size <= length <= wire.MAX_ERROR:
            self._lied("an error chunk of a wrong length")
        payload = self._receive(length)
        number, text = wire.ERROR.unpack_from(payload)
        at = wire.ERROR.size + text
        if kind == wire.CHUNK_ERROR_OFFSET:
            if at + wire.ERROR_OFFSET.size != length:
                self._lied("an error chunk of a wrong length")
            (start,) = wire.ERROR_OFFSET.unpack_from(payload, at)
        elif at != length:
            self._lied("an error chunk of a wrong length")
        if self._error is None:
            self._error = (number, start)

    def _raise_noted_error(self) -> None:
        if self._error is None:
            return
        number, offset = self._error
        if number in (wire.EIO, wire.EINVAL):
            raise ImageBroken(
                self._name, "unreadable", "the guest's bytes there can't be read", offset
            )
        raise ToolFailed(_TOOL, f"error {number} at byte {offset} of the disk")

    def _lied(self, what: str) -> NoReturn:
        self._fail(f"it sent {what}")

    def _fail(self, reason: str) -> NoReturn:
        self.close()
        raise ToolFailed(_TOOL, reason)
