"""An object under exactly the key that the user named, its digest beside it.

parts -> KEY.sha256, put only if absent: the claim -> KEY is not there -> complete
"""

from __future__ import annotations

from types import TracebackType

from diskwright.errors import DiskwrightError, RemoteUnable, TargetExists
from diskwright.model.stored import Chunk, Layout
from diskwright.ops.sink import MultipartSink
from diskwright.ports import CancelToken, ObjectStore

DIGEST = ".sha256"


def _unrecorded(_event: dict[str, object]) -> None:
    """A journal is of images; what a killed run leaves is an open upload."""


def check_absent(store: ObjectStore, key: str, *, force: bool) -> None:
    """Raises TargetExists."""
    if not force and store.head(key) is not None:
        raise TargetExists(key)


class ExactUpload:
    """A context manager: leaving it by an error leaves nothing that was not there, also after
    `finish`.

    A multipart upload has no condition that every store keeps. So without `force` the digest's
    object is put first, only if absent: of two at once one wins. With `force` it is put last.
    """

    def __init__(
        self, store: ObjectStore, key: str, layout: Layout, *, force: bool, cancel: CancelToken
    ) -> None:
        self._store, self._key, self._force = store, key, force
        self._claimed = self._tried = False
        self._size = 0
        self._check_absent(key)
        self._check_absent(key + DIGEST)
        self._sink = MultipartSink(store, _unrecorded, key=key, layout=layout, cancel=cancel)

    def __enter__(self) -> ExactUpload:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            return
        try:
            self._sink.discard()
            if self._tried and not self._force and self._is_ours():
                self._store.delete(self._key)
            if self._claimed:
                self._store.delete(self._key + DIGEST)
        except DiskwrightError as left:
            error.add_note(f"cleaning up {self._key} failed ({left})")

    def write(self, chunk: Chunk) -> None:
        self._sink.write(chunk)
        self._size = max(self._size, chunk.offset + len(chunk.data))

    def finish(self, digest: bytes) -> int:
        """The object is there, and `digest` beside it; its size. Raises TargetExists."""
        if not self._force:
            self._claim(digest)
            self._check_absent(self._key)
        self._tried = True
        stored = self._sink.finish()
        if self._force:
            self._store.put(self._key + DIGEST, digest)
        return stored.size

    def _claim(self, digest: bytes) -> None:
        key = self._key + DIGEST
        self._check_absent(key)
        self._claimed = True  # an answer may be lost
        try:
            self._store.put(key, digest, if_absent=True)
        except TargetExists:
            self._claimed = False
            raise
        except RemoteUnable:  # it knows no conditions
            self._store.put(key, digest)

    def _is_ours(self) -> bool:
        """It was not there a moment before, and has our size: an answer may have been lost."""
        info = self._store.head(self._key)
        return info is not None and info.size == self._size

    def _check_absent(self, key: str) -> None:
        check_absent(self._store, key, force=self._force)
