"""An ObjectStore in memory, for tests: it can fail, or be interrupted, at any call."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence

from diskwright.errors import ObjectMissing, TargetExists
from diskwright.model.stored import Foreign, ObjectInfo, OpenUpload, StoreCapabilities


class MemoryStore:
    """`before(name, number)` is called before each call, number from 1; it may raise.

    `after` likewise, when the call has done its work: what it raises is a lost answer.
    """

    def __init__(self, *, conditional: bool = True) -> None:
        self.objects: dict[str, bytes] = {}
        self.uploads: dict[str, tuple[str, dict[int, bytes]]] = {}
        self.calls: list[tuple[str, str]] = []
        self.conditional = conditional
        self.before: Callable[[str, int], None] = lambda name, number: None
        self.after: Callable[[str, int], None] = lambda name, number: None
        self._lock = threading.RLock()

    url = place = "memory:"

    def _call(self, name: str, key: str, work: Callable[[], object]) -> object:
        with self._lock:
            self.calls.append((name, key))
            number = len(self.calls)
        self.before(name, number)
        with self._lock:
            result = work()
        self.after(name, number)
        return result

    def put(self, key: str, data: bytes, *, if_absent: bool = False) -> None:
        def work():
            if if_absent and self.conditional and key in self.objects:
                raise TargetExists(key)
            self.objects[key] = bytes(data)

        self._call("put", key, work)

    def get(self, key: str, offset: int = 0, length: int | None = None) -> bytes:
        def work():
            if key not in self.objects:
                raise ObjectMissing(key)
            return self.objects[key][offset : None if length is None else offset + length]

        return self._call("get", key, work)

    def head(self, key: str) -> ObjectInfo | None:
        def work():
            return ObjectInfo(key, len(self.objects[key])) if key in self.objects else None

        return self._call("head", key, work)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        def work():
            return [
                ObjectInfo(key, len(data))
                for key, data in sorted(self.objects.items())
                if key.startswith(prefix)
            ]

        return iter(self._call("list", prefix, work))

    def delete(self, key: str) -> None:
        self._call("delete", key, lambda: self.objects.pop(key, None))

    def create_upload(self, key: str, *, part_size: int) -> str:
        def work():
            upload_id = f"upload-{len(self.calls)}"
            self.uploads[upload_id] = (key, {})
            return upload_id

        return self._call("create_upload", key, work)

    def put_part(self, key: str, upload_id: str, number: int, data: memoryview) -> str:
        kept = bytes(data)

        def work():
            self._parts(key, upload_id)[number] = kept
            return f"etag-{number}-{len(kept)}"

        return self._call("put_part", key, work)

    def copy_part(
        self, key: str, upload_id: str, number: int, source: str | Foreign, offset: int, length: int
    ) -> str:
        source = source.key if isinstance(source, Foreign) else source

        def work():
            if source not in self.objects:
                raise ObjectMissing(source)
            self._parts(key, upload_id)[number] = self.objects[source][offset : offset + length]
            return f"etag-{number}-{length}"

        return self._call("copy_part", key, work)

    def copy_source(self, other: object, key: str) -> Foreign | None:
        return Foreign("memory", key) if other is self else None

    def complete_upload(self, key: str, upload_id: str, etags: Sequence[str]) -> None:
        def work():
            parts = self._parts(key, upload_id)
            wanted = [f"etag-{n}-{len(parts.get(n, b''))}" for n in range(1, len(parts) + 1)]
            if list(etags) != wanted:
                raise ObjectMissing(f"a part of {key}")
            self.objects[key] = b"".join(parts[n] for n in sorted(parts))
            del self.uploads[upload_id]

        self._call("complete_upload", key, work)

    def abort_upload(self, key: str, upload_id: str) -> None:
        self._call("abort_upload", key, lambda: self.uploads.pop(upload_id, None))

    def list_uploads(self, prefix: str) -> Iterator[OpenUpload]:
        def work():
            return [
                OpenUpload(key, upload_id)
                for upload_id, (key, _) in sorted(self.uploads.items())
                if key.startswith(prefix)
            ]

        return iter(self._call("list_uploads", prefix, work))

    def probe(self) -> StoreCapabilities:
        return StoreCapabilities(True, self.conditional, True, None, True)

    def _parts(self, key: str, upload_id: str) -> dict[int, bytes]:
        if upload_id not in self.uploads or self.uploads[upload_id][0] != key:
            raise ObjectMissing(f"the upload of {key}")
        return self.uploads[upload_id][1]
