"""A stored object under another key, there or elsewhere, for as little traffic as can be had.

same bucket, another one of the endpoint, a folder beside   the store copies, part by part
any other two places                                        get -> SHA-256 -> put, part by part
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import closing

from diskwright.blockio.copy import ordered_map
from diskwright.errors import DataTampered, ObjectMissing, RemoteRefused, RemoteUnable
from diskwright.model.stored import Foreign, StoredObject
from diskwright.ops.known_parts import KnownParts, Part, parts_of
from diskwright.ops.upload import StoreDestination
from diskwright.ports import CancelToken, ObjectStore, Progress

WORKERS = 3


def copy_object(
    source: ObjectStore,
    stored: StoredObject,
    key: str,
    *,
    destination: StoreDestination,
    progress: Progress,
    cancel: CancelToken,
) -> StoredObject:
    """`stored`, an object of `source`, as `key` at `destination`, in parts of the same size: their
    digests stay true. The caller has begun the phase; progress advances by bytes of the object.

    Where the stores can do it between them, no byte of it comes here, and what is copied is what
    lies there: damage shows when the copy is read. Otherwise each part is verified before it is
    sent. Held at once are `WORKERS` parts.

    Raises ObjectMissing, DataTampered where the object is not the one that `stored` tells of, and
    what the stores raise. `destination` cleans up.
    """
    found = source.head(stored.key)
    if found is None:
        raise ObjectMissing(stored.key)
    if found.size != stored.size:
        detail = f"it has {found.size} bytes, its manifest says {stored.size}"
        raise DataTampered(stored.key, detail)
    upload = destination.known_parts(key, stored)
    theirs = upload.store.copy_source(source, stored.key) if stored.size else None
    if theirs is None or not _copied_there(upload, theirs, stored, progress, cancel):
        for length in _each(stored, lambda part: _send(upload, source, stored.key, part), cancel):
            progress.advance(length)
    return upload.finish()


def _copied_there(
    upload: KnownParts,
    source: Foreign,
    stored: StoredObject,
    progress: Progress,
    cancel: CancelToken,
) -> bool:
    """False where the store does not copy after all, or not from that place: all is to be sent."""
    done = 0
    try:
        for length in _each(stored, lambda part: upload.copy(part, source), cancel):
            progress.advance(length)
            done += length
    except (RemoteUnable, RemoteRefused):
        progress.advance(-done)
        return False
    return True


def _send(upload: KnownParts, source: ObjectStore, key: str, part: Part) -> None:
    data = source.get(key, part.offset, part.length)
    if hashlib.sha256(data).hexdigest() != part.digest:
        raise DataTampered(key, f"part {part.number} does not have its digest")
    upload.put(part, memoryview(data))


def _each(stored: StoredObject, work: Callable[[Part], None], cancel: CancelToken) -> Iterator[int]:
    """The length of each part that `work` is done with, several at once."""

    def one(part: Part) -> int:
        cancel.check()
        work(part)
        return part.length

    with closing(ordered_map(parts_of(stored), one, threads=WORKERS, ahead=2 * WORKERS)) as lengths:
        yield from lengths
