"""An object that is made of parts whose digests are known beforehand: a copy of a stored one."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from diskwright._values import Struct, replace
from diskwright.errors import DataTampered
from diskwright.model.stored import Foreign, StoredObject
from diskwright.ops.sink import Record
from diskwright.ports import ObjectStore


class Part(Struct, frozen=True):
    """`[offset, offset + length)` of the object; `number` from 1, `digest` its SHA-256 in hex."""

    number: int
    offset: int
    length: int
    digest: str


def parts_of(stored: StoredObject) -> Iterator[Part]:
    """At least one: an empty object has one empty part."""
    for number, digest in enumerate(stored.part_digests, start=1):
        offset = (number - 1) * stored.part_size
        yield Part(number, offset, min(stored.part_size, stored.size - offset), digest)


class KnownParts:
    """An open upload of `key`, which becomes what `like` is. Parts come in any order, from any
    thread, and again where a first try was in vain. `record` appends to the run's journal.
    """

    def __init__(self, store: ObjectStore, record: Record, *, key: str, like: StoredObject) -> None:
        self._store = store
        self._record = record
        self._stored = replace(like, key=key)
        self._etags: dict[int, str] = {}
        self.finished = False
        record({"event": "create", "key": key, "part_size": like.part_size})
        self._upload_id = store.create_upload(key, part_size=like.part_size)
        record({"event": "upload", "key": key, "id": self._upload_id})

    @property
    def store(self) -> ObjectStore:
        return self._store

    def put(self, part: Part, data: memoryview) -> None:
        """`data` has the part's digest: that is the caller's to know."""
        key = self._stored.key
        self._take(part, lambda: self._store.put_part(key, self._upload_id, part.number, data))

    def copy(self, part: Part, source: Foreign) -> None:
        """From `source` by the store itself: nobody here sees the bytes."""
        key, number = self._stored.key, part.number

        def copied() -> str:
            return self._store.copy_part(
                key, self._upload_id, number, source, part.offset, part.length
            )

        self._take(part, copied)

    def finish(self) -> StoredObject:
        """The object appears, whole. Raises DataTampered where it has not the size that it should:
        of parts that the store copied no ETag tells what is in them.
        """
        key = self._stored.key
        etags = [self._etags[part.number] for part in parts_of(self._stored)]
        self._record({"event": "complete", "key": key})
        self._store.complete_upload(key, self._upload_id, etags)
        made = self._store.head(key)
        if made is None or made.size != self._stored.size:
            found = "is not there" if made is None else f"has {made.size} bytes"
            raise DataTampered(key, f"the copy {found}, it should have {self._stored.size}")
        self.finished = True
        return self._stored

    def _take(self, part: Part, send: Callable[[], str]) -> None:
        self._record(
            {
                "event": "part",
                "key": self._stored.key,
                "number": part.number,
                "size": part.length,
                "sha256": part.digest,
            }
        )
        self._etags[part.number] = send()
