"""Nothing stays of a run that did not commit. Everything goes by key, not by what we remember.

A lost answer to "create" leaves an upload that nobody knows, so uploads are listed, ended and
listed again until none is there.
"""

from __future__ import annotations

from diskwright._values import Struct
from diskwright.errors import DiskwrightError, ObjectMissing, RemoteUnable, TargetExists
from diskwright.model.manifest import ABORTED
from diskwright.model.names import image_prefix, manifest_key
from diskwright.ports import JournalEntry, ObjectStore, UploadJournal

_TRIAL = "condition"  # of an image's own prefix; no data object has such a name
ROUNDS = 10  # of listing and ending; a part on its way can bring an upload back once or twice


class Swept(Struct, frozen=True):
    """What became of dead runs, by image id."""

    cleaned: tuple[str, ...] = ()
    committed: tuple[str, ...] = ()  # they had ended well: only the journal was left
    postponed: tuple[str, ...] = ()  # the store refused something; the next run tries again


def end_uploads(store: ObjectStore, prefix: str) -> None:
    """End every open upload under `prefix`."""
    for _ in range(ROUNDS):
        found = list(store.list_uploads(prefix))
        if not found:
            return
        for upload in found:
            store.abort_upload(upload.key, upload.upload_id)
    raise RemoteUnable(store.url, f"end the open uploads under {prefix}")


def clean_uncommitted(store: ObjectStore, image_id: str) -> None:
    """For a run that has not tried to commit: nobody else can, as the id is its own."""
    end_uploads(store, image_prefix(image_id))
    _delete(store, _objects(store, image_id))


def clean_doubtful(store: ObjectStore, image_id: str) -> bool:
    """For a run that may have committed. True if it has: then its objects stay.

    Before objects are deleted the manifest's place is taken by the mark of an aborted one, only if
    it is free. Where a store does not keep conditions the objects stay, for a later collection.
    """
    end_uploads(store, image_prefix(image_id))
    end_uploads(store, manifest_key(image_id))  # in a folder, a manifest on its way is one
    objects = _objects(store, image_id)
    if not objects:
        return False
    if not _keeps_conditions(store, image_id):
        return store.head(manifest_key(image_id)) is not None
    if not mark_aborted(store, image_id):
        return True
    _delete(store, objects)
    return False


def mark_aborted(store: ObjectStore, image_id: str, *, single_writer: bool = False) -> bool:
    """Takes the manifest's place, if it is free: none can come any more. False where it is there.

    `single_writer`: nobody else writes there, and the store need not keep conditions.
    """
    key = manifest_key(image_id)
    try:
        if not single_writer or store.head(key) is None:
            store.put(key, ABORTED, if_absent=not single_writer)
            return True
    except TargetExists:
        pass
    return store.get(key, 0, len(ABORTED) + 1) == ABORTED


def is_settled_as_gone(store: ObjectStore, image_id: str) -> bool:
    """After a run's own clean-up: nothing of it is there, and no manifest can come any more."""
    try:
        return store.get(manifest_key(image_id), 0, len(ABORTED) + 1) == ABORTED
    except ObjectMissing:
        return next(iter(store.list(image_prefix(image_id))), None) is None


def _keeps_conditions(store: ObjectStore, image_id: str) -> bool:
    """Tried at a key of the image's own, so that it is found again if we are killed meanwhile."""
    key = f"{image_prefix(image_id)}{_TRIAL}"
    try:
        for _ in range(2):
            store.put(key, b"diskwright", if_absent=True)
    except TargetExists:
        return True
    except RemoteUnable:
        return False
    finally:
        store.delete(key)
    return False


def journal_target(store: ObjectStore) -> str:
    """The place as a journal can hold it: a folder's name need not be UTF-8."""
    return store.place.encode("utf-8", "backslashreplace").decode()


def finish_dead_run(store: ObjectStore, entry: JournalEntry) -> bool:
    """Clean up what a dead run left, then its entry, which comes locked. True if it had committed.

    The entry stays where this raises.
    """
    try:
        committed = clean_doubtful(store, entry.image_id)
        entry.remove()
    finally:
        entry.close()
    return committed


def sweep_dead_runs(store: ObjectStore, journal: UploadJournal) -> Swept:
    """Clean what dead runs left at this target. An entry goes only when its run is cleaned up."""
    cleaned: list[str] = []
    committed: list[str] = []
    postponed: list[str] = []
    for entry in journal.dead(journal_target(store)):
        try:
            outcome = committed if finish_dead_run(store, entry) else cleaned
            outcome.append(entry.image_id)
        except DiskwrightError:
            # What stands in the way of cleaning (a right to delete, say) need not stand in the
            # way of the run that is about to begin; it will say so itself where it does.
            postponed.append(entry.image_id)
    return Swept(tuple(cleaned), tuple(committed), tuple(postponed))


def _objects(store: ObjectStore, image_id: str) -> list[str]:
    return [info.key for info in store.list(image_prefix(image_id))]


def _delete(store: ObjectStore, keys: list[str]) -> None:
    for key in keys:
        store.delete(key)
