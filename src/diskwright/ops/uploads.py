"""uploads: what lies open at a target, whose it is, and its end.

The store is asked first and the journal second. A run writes its entry before it creates an
upload, so an upload of a run that lives here is never taken for anybody else's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Protocol

from diskwright.errors import DiskwrightError, Locked, RemoteUnable
from diskwright.model.names import is_uuid
from diskwright.model.stored import OpenUpload
from diskwright.model.uploads import (
    AbortedUploads,
    FoundUpload,
    ListedUploads,
    Owner,
    UploadChoice,
)
from diskwright.ops.cleanup import ROUNDS, finish_dead_run, journal_target
from diskwright.ports import ObjectStore, UploadJournal

_OF_IMAGE = re.compile(r"(?:images/([^/]+)/.*|manifests/([^/]+)\.json)", re.DOTALL)


class RunsJournal(UploadJournal, Protocol):
    def living(self, target: str) -> Iterator[str]:
        """Image ids of the runs of this machine that go on at `target`."""


def list_uploads(store: ObjectStore, journal: RunsJournal) -> ListedUploads:
    """Every open upload under the target, other programs' too, by key."""
    found = sorted(store.list_uploads(""), key=lambda upload: (upload.key, upload.upload_id))
    target = journal_target(store)
    living = set(journal.living(target))
    dead = _dead_runs(journal, target) - living
    return ListedUploads(
        store.url,
        tuple(_owned(upload, living, dead) for upload in found),
        tuple(sorted(dead)),
    )


def abort_uploads(
    store: ObjectStore, journal: RunsJournal, choice: UploadChoice, *, now: float, dry_run: bool
) -> AbortedUploads:
    """End what was chosen, and nothing that a run of this machine still needs.

    `now` in seconds since 1970. Raises Locked where a living run's upload was named. An upload
    whose age is not known is not older than anything.
    """
    listed = list_uploads(store, journal)
    chosen = [upload for upload in listed.uploads if _is_chosen(upload, choice, now)]
    runs = {upload.image for upload in chosen if upload.owner is Owner.DEAD}
    if choice == UploadChoice():
        runs |= set(listed.dead_runs)
    if choice.image in listed.dead_runs:
        runs.add(choice.image)
    others = [upload for upload in chosen if upload.owner is Owner.UNKNOWN]
    aborted = tuple(u for u in listed.uploads if u in others or _is_of(u, runs))
    kept = tuple(u for u in listed.uploads if u not in aborted)
    if dry_run:
        cleaned = tuple(sorted(filter(None, runs)))
        return AbortedUploads(store.url, True, aborted, kept, cleaned)
    cleaned, committed = _finish(store, journal, runs)
    try:
        _end(store, others)
    except DiskwrightError as error:
        error.add_note(f"{len(cleaned) + len(committed)} dead run(s) were cleaned up before")
        raise
    return AbortedUploads(store.url, False, aborted, kept, cleaned, committed)


def _dead_runs(journal: RunsJournal, target: str) -> set[str]:
    found = set()
    for entry in journal.dead(target):
        found.add(entry.image_id)
        entry.close()
    return found


def _owned(upload: OpenUpload, living: set[str], dead: set[str]) -> FoundUpload:
    match = _OF_IMAGE.fullmatch(upload.key)
    name = (match[1] or match[2]) if match else ""
    image = name if is_uuid(name) else None
    owner = Owner.LIVING if image in living else Owner.DEAD if image in dead else Owner.UNKNOWN
    begun = _time(upload.begun) if upload.begun is not None else None
    return FoundUpload(upload.key, upload.upload_id, image, begun, owner)


def _is_chosen(upload: FoundUpload, choice: UploadChoice, now: float) -> bool:
    named = upload.key == choice.key or (upload.image is not None and upload.image == choice.image)
    if named and upload.owner is Owner.LIVING:
        raise Locked(f"the upload of {upload.key}")
    if choice.older_than_s is not None:
        # Such times sort as text.
        return upload.begun is not None and upload.begun < _time(now - choice.older_than_s)
    return named


def _is_of(upload: FoundUpload, runs: set[str | None]) -> bool:
    return upload.owner is Owner.DEAD and upload.image in runs


def _finish(
    store: ObjectStore, journal: RunsJournal, runs: set[str | None]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Clean the dead runs up whole, by the rule that the next run's sweep keeps."""
    cleaned: list[str] = []
    committed: list[str] = []
    for entry in journal.dead(journal_target(store)):
        if entry.image_id not in runs:
            entry.close()
        elif finish_dead_run(store, entry):
            committed.append(entry.image_id)
        else:
            cleaned.append(entry.image_id)
    return tuple(cleaned), tuple(committed)


def _end(store: ObjectStore, uploads: list[FoundUpload]) -> None:
    """Ended, and looked for again: a part on its way can bring an upload back."""
    left = {(upload.key, upload.upload_id) for upload in uploads}
    for _ in range(ROUNDS):
        if not left:
            return
        for key, upload_id in sorted(left):
            store.abort_upload(key, upload_id)
        left &= {(upload.key, upload.upload_id) for upload in store.list_uploads("")}
    raise RemoteUnable(store.url, f"end the upload of {min(left)[0]}")


def _time(seconds: float) -> str:
    """A time that a store gives need not be one that a calendar has."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError, OSError):
        return "1970-01-01T00:00:00Z"
