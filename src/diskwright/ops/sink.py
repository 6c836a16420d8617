"""Chunks to an object that is uploaded in parts, of which the first goes last.

    part 1 (kept)   part 2   part 3 ...   last part          then part 1, then complete
    [head......]    |sent|   |sent|       |sent at finish|

Part 1 is kept because a format's head may be known only at the end. Before the first byte of a
part leaves this process, its SHA-256 stands in the journal, synced.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from diskwright._values import Struct
from diskwright.model.nulls import NeverCancelled
from diskwright.model.stored import LATE_LIMIT, Chunk, Layout, StoredObject
from diskwright.ops.cleanup import end_uploads
from diskwright.ops.parts import PartSender
from diskwright.ports import CancelToken, ObjectStore

_PARTS_LIMIT = 10_000  # S3 knows no part number above it
_STOP_WAIT_S = 0.5  # Ctrl-C is answered within a second
_ZEROS = memoryview(bytes(1 << 20))

Record = Callable[[dict[str, object]], None]


class MultipartSink:
    """A ByteSink. `record` appends to the run's journal, from several threads."""

    def __init__(
        self,
        store: ObjectStore,
        record: Record,
        *,
        key: str,
        layout: Layout,
        workers: int = 3,
        cancel: CancelToken | None = None,
    ) -> None:
        self._store = store
        self._record = record
        self._key = key
        self._part_size = layout.part_size
        self._cancel = cancel or NeverCancelled()
        self._sent: dict[int, _SentPart] = {}
        self._sender = PartSender(
            self._send, part_size=self._part_size, workers=workers, cancel=self._cancel
        )
        self._first = bytearray(self._part_size)
        self._buffer: bytearray | None = self._first  # None: the next part needs one
        self._number = 1  # of the part that is being filled
        self._filled = 0  # bytes of it
        self._zero_part: _ZeroPart | None = None
        self._stored: StoredObject | None = None
        record({"event": "create", "key": key, "part_size": self._part_size})
        self._upload_id = store.create_upload(key, part_size=self._part_size)
        record({"event": "upload", "key": key, "id": self._upload_id})

    @property
    def finished(self) -> bool:
        return self._stored is not None

    def write(self, chunk: Chunk) -> None:
        """Raises ValueError for a chunk that is neither forward nor late in part 1."""
        self._cancel.check()
        size = self._size()
        with memoryview(chunk.data) as view, view.cast("B") as data:
            if chunk.offset >= size:
                self._append_zeros(chunk.offset - size)
                self._append(data)
            else:
                self._write_late(chunk.offset, data)

    def finish(self) -> StoredObject:
        """The last part, then the first, then the object appears, whole."""
        size = self._size()
        if self._number > 1 and self._filled:
            self._submit()
        self._sender.drain()
        self._sender.submit_shared(1, memoryview(self._first)[: min(size, self._part_size)])
        self._sender.drain()
        parts = [self._sent[number] for number in range(1, len(self._sent) + 1)]
        self._record({"event": "complete", "key": self._key})
        self._store.complete_upload(self._key, self._upload_id, [part.etag for part in parts])
        self.stop()
        # an image of many disks keeps its sinks to the end
        self._first, self._buffer, self._zero_part = bytearray(), None, None
        self._stored = StoredObject(
            self._key,
            size,
            self._part_size,
            tuple(part.digest.hex() for part in parts),
            hashlib.sha256(b"".join(part.digest for part in parts)).hexdigest(),
        )
        return self._stored

    def stop(self) -> None:
        """No further part begins to be sent."""
        self._sender.stop(_STOP_WAIT_S)

    def discard(self) -> None:
        """This upload ends; an object of its key, which may be another's, stays."""
        self.stop()
        self._store.abort_upload(self._key, self._upload_id)

    def abort(self) -> None:
        self.discard()
        end_uploads(self._store, self._key)
        self._store.delete(self._key)
        self._stored = None

    def _size(self) -> int:
        return (self._number - 1) * self._part_size + self._filled

    def _append(self, data: memoryview) -> None:
        while data:
            taken = min(len(data), self._part_size - self._filled)
            self._fill(data[:taken])
            data = data[taken:]

    def _append_zeros(self, count: int) -> None:
        while count:
            if self._number > 1 and not self._filled and count >= self._part_size:
                self._submit_zeros()
                count -= self._part_size
            else:
                taken = min(count, self._part_size - self._filled, len(_ZEROS))
                self._fill(_ZEROS[:taken])
                count -= taken

    def _fill(self, data: memoryview) -> None:
        """`data` fits the part. A part that becomes full is sent, but for the first."""
        if self._buffer is None:
            self._buffer = self._sender.take()
        # Through a view, because a bytearray's own slice assignment copies twice.
        with memoryview(self._buffer) as room:
            room[self._filled : self._filled + len(data)] = data
        self._filled += len(data)
        self._end_full_part()

    def _write_late(self, offset: int, data: memoryview) -> None:
        """Into part 1, which is still here."""
        size, end = self._size(), offset + len(data)
        if end > min(LATE_LIMIT, self._part_size):
            raise ValueError(f"the chunk at {offset} comes after byte {size}")
        with memoryview(self._first) as room:
            room[offset:end] = data
        if end > size:
            self._filled = end
            self._end_full_part()

    def _end_full_part(self) -> None:
        if self._filled == self._part_size:
            if self._number > 1:
                self._submit()
            self._next_part()

    def _submit(self) -> None:
        assert self._buffer is not None
        self._sender.submit(self._number, self._buffer, self._filled)
        self._buffer = None

    def _submit_zeros(self) -> None:
        if self._zero_part is None:
            self._zero_part = _ZeroPart.of(self._part_size)
        self._sender.submit_shared(self._number, self._zero_part.data)
        self._next_part()

    def _next_part(self) -> None:
        self._number += 1
        self._filled = 0
        self._buffer = None
        if self._number > _PARTS_LIMIT:
            raise ValueError(f"{self._key}: more parts than its layout promised")

    def _send(self, number: int, data: memoryview) -> None:
        """In a worker's thread."""
        zeros = self._zero_part
        known = zeros is not None and data is zeros.data
        digest = zeros.digest if zeros is not None and known else hashlib.sha256(data).digest()
        self._record(
            {
                "event": "part",
                "key": self._key,
                "number": number,
                "size": len(data),
                "sha256": digest.hex(),
            }
        )
        etag = self._store.put_part(self._key, self._upload_id, number, data)
        self._sent[number] = _SentPart(etag, digest)


class _SentPart(Struct, frozen=True):
    etag: str
    digest: bytes


class _ZeroPart(Struct, frozen=True):
    """A whole part of zeros, hashed once: a sparse disk has thousands."""

    data: memoryview
    digest: bytes

    @classmethod
    def of(cls, size: int) -> _ZeroPart:
        zeros = bytes(size)
        return cls(memoryview(zeros), hashlib.sha256(zeros).digest())
