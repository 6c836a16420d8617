"""A Destination over any ObjectStore: one image's objects, then its manifest, or nothing.

journal entry -> uploads -> parts -> complete -> manifest (the commit) -> entry removed
"""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType

from diskwright.errors import (
    Cancelled,
    DiskwrightError,
    InputUnreadable,
    OutputNotWritable,
    RemoteUnable,
    TargetExists,
)
from diskwright.model.manifest import Manifest, encode
from diskwright.model.names import image_prefix, manifest_key
from diskwright.model.nulls import NeverCancelled
from diskwright.model.stored import Layout, StoredObject
from diskwright.ops.cleanup import (
    Swept,
    clean_doubtful,
    clean_uncommitted,
    journal_target,
    sweep_dead_runs,
)
from diskwright.ops.known_parts import KnownParts
from diskwright.ops.sink import MultipartSink, Record
from diskwright.ports import CancelToken, JournalEntry, ObjectStore, UploadJournal

_LEFT = "cleaning up failed, the next run will do it"

__all__ = ["StoreDestination", "Swept", "check_reachable", "sweep_dead_runs"]


def check_reachable(store: ObjectStore, image_id: str) -> None:
    """Raises what keeps us from that store, before anything is sent or noted in the journal."""
    try:
        next(iter(store.list(image_prefix(image_id))), None)
    except InputUnreadable as error:  # a folder: it is to be written, not read
        raise OutputNotWritable(error.path, error.reason) from error


class StoreDestination:
    """Leaving its context without `commit` leaves nothing behind, on every way out.

    `notes` go to the journal with the header (never an unwrapped key). Where even the clean-up
    fails, the journal entry stays and `sweep_dead_runs` of the next run finishes it.
    """

    def __init__(
        self,
        store: ObjectStore,
        journal: UploadJournal,
        *,
        image_id: str,
        notes: Mapping[str, object] | None = None,
        cancel: CancelToken | None = None,
        workers: int = 3,
    ) -> None:
        self._store = store
        self._journal = journal
        self._image_id = image_id
        self._notes = dict(notes or {})
        self._cancel = cancel or NeverCancelled()
        self._workers = workers
        self._entry: JournalEntry | None = None
        self._sinks: list[MultipartSink] = []
        self._copies: list[KnownParts] = []
        self._commit_tried = False
        self._over = False

    def __enter__(self) -> StoreDestination:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.abort()
        except DiskwrightError as failure:
            if error is None:
                raise
            if isinstance(error, Cancelled):
                error.left = _LEFT
            else:
                error.add_note(f"{_LEFT} ({failure})")
        finally:
            if self._entry is not None:
                self._entry.close()

    def sink(self, key: str, layout: Layout) -> MultipartSink:
        """`key` lies under the image's own prefix. The upload is open when this returns."""
        sink = MultipartSink(
            self._store,
            self._recording(key),
            key=key,
            layout=layout,
            workers=self._workers,
            cancel=self._cancel,
        )
        self._sinks.append(sink)
        return sink

    def known_parts(self, key: str, stored: StoredObject) -> KnownParts:
        """As `sink`, for an object of which `stored` is told: a copy of that one."""
        parts = KnownParts(self._store, self._recording(key), key=key, like=stored)
        self._copies.append(parts)
        return parts

    def commit(self, manifest: Manifest) -> None:
        """The image is there when this returns, and is not when this raises, as far as the store
        still answers. Raises TargetExists where another one is.
        """
        whole = all(one.finished for one in self._sinks) and all(
            one.finished for one in self._copies
        )
        if manifest.image != self._image_id or not whole:
            raise ValueError("a manifest is committed after all of its image's objects")
        self._cancel.check()
        entry = self._begun()
        key, data = manifest_key(self._image_id), encode(manifest)
        entry.record({"event": "commit", "key": key})
        self._commit_tried = True
        try:
            self._put_manifest(key, data)
        except TargetExists:
            raise
        except DiskwrightError:
            # The manifest may be there all the same: an image that is there is no failure.
            if not self._is_settled_as_there():
                raise
        self._over = True
        try:
            entry.remove()
        except DiskwrightError:
            entry.close()  # the image is there; the next run's sweep sees that, and removes it

    def abort(self) -> None:
        if self._over or self._entry is None:
            return
        for sink in self._sinks:
            sink.stop()
        if self._commit_tried:
            clean_doubtful(self._store, self._image_id)
        else:
            clean_uncommitted(self._store, self._image_id)
        self._over = True
        self._entry.remove()

    def _recording(self, key: str) -> Record:
        """Into the journal, in which the run is noted from here on."""
        if not key.startswith(image_prefix(self._image_id)):
            raise ValueError(f"{key} is no key of image {self._image_id}")
        self._cancel.check()
        return self._begun().record

    def _begun(self) -> JournalEntry:
        if self._over:
            raise ValueError("the destination was committed or aborted already")
        if self._entry is None:
            self._entry = self._journal.begin(
                self._image_id,
                {
                    "v": 1,
                    "image": self._image_id,
                    "target": journal_target(self._store),
                    "notes": self._notes,
                },
            )
        return self._entry

    def _put_manifest(self, key: str, data: bytes) -> None:
        try:
            self._store.put(key, data, if_absent=True)
        except TargetExists:
            self._check_ours(key, data)
        except RemoteUnable:  # it knows no conditions; the id is unique all the same
            if self._store.head(key) is not None:
                self._check_ours(key, data)
            else:
                self._store.put(key, data)

    def _is_settled_as_there(self) -> bool:
        """False: nothing is there any more, or the store does not say."""
        try:
            return clean_doubtful(self._store, self._image_id)
        except DiskwrightError:
            return False

    def _check_ours(self, key: str, data: bytes) -> None:
        """Equal bytes are our own success, whose answer was lost."""
        if self._store.get(key, 0, len(data) + 1) != data:
            raise TargetExists(key)
