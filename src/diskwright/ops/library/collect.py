"""gc: what is in the trash for long enough, what belongs to no image, and old hints."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from diskwright._values import Struct, replace
from diskwright.errors import Cancelled, DiskwrightError, Locked, OutputError, RemoteError
from diskwright.model.care import ORPHAN_GRACE_S, TRASH_GRACE_S, Collected, Kept, Removed
from diskwright.model.library import Query, Status, Visibility
from diskwright.model.names import manifest_key, uuid7_time
from diskwright.model.times import time_text
from diskwright.ops.cleanup import journal_target, sweep_dead_runs
from diskwright.ops.library import changes, leftovers, purge
from diskwright.ops.library.leftovers import Left, Survey, image_of
from diskwright.ops.library.names import superseded
from diskwright.ops.library.place import Place, check_conditions
from diskwright.ops.library.references import References, read_references
from diskwright.ops.library.sync import sync
from diskwright.ops.uploads import RunsJournal
from diskwright.ports import CancelToken, Progress

T = TypeVar("T")

_ID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_NUMBER = "[0-9]{8}"
# What is put into a library (docs/layout.md), but for hints: beside it may lie others' objects
_OURS = re.compile(
    rf"images/{_ID}/[^/]+|library\.json|manifests/{_ID}\.json"
    rf"|(records|received)/{_ID}/{_NUMBER}\.json"
    rf"|names/([0-9a-f]{{64}}/{_NUMBER}|keys/[0-9a-f]{{64}})\.json"
    rf"|shares/{_ID}/{_ID}(\.answer)?\.json|uses/{_ID}/{_ID}\.json"
    rf"|probe/{_ID}/[^/]+"
)
_DAY = 86400
_MARKS_KEPT_S = 30 * _DAY  # the mark of an aborted run; its run is surely gone by then


class CollectRequest(Struct, frozen=True):
    """How long an image stays in the trash, and what belongs to none stays at all. `unproven`: also
    what may be an image whose manifest is lost goes."""

    grace_s: float = TRASH_GRACE_S
    orphan_grace_s: float = ORPHAN_GRACE_S
    unproven: bool = False


def collect(
    place: Place,
    journal: RunsJournal,
    request: CollectRequest,
    *,
    dry_run: bool,
    progress: Progress,
    cancel: CancelToken,
) -> Collected:
    """Everything is looked at anew right before it is removed, so what a dry run said may stay.

    Raises RemoteUnable where the store keeps no conditions.
    """
    if not dry_run:
        check_conditions(place)
        sweep_dead_runs(place.store, journal)
    sync(place, whole=True)
    run = _Run(place, journal, request, dry_run, progress, cancel)
    return run.everything()


class _Run(Struct):
    place: Place
    journal: RunsJournal
    request: CollectRequest
    dry_run: bool
    progress: Progress
    cancel: CancelToken

    def everything(self) -> Collected:
        place = self.place
        survey = leftovers.survey(place)
        bare = {left.image for left in survey.left if not left.extra}  # there is no manifest
        names = {
            entry.id: entry.name or ""
            for entry in place.catalog.query(Query(statuses=(Status.PENDING_DELETE,)))
            if entry.visibility is not Visibility.SHARED and entry.id not in bare
        }
        trash = list(names)
        refs = References()
        if trash or survey.left:
            refs = read_references(place, self.cancel)
        self.progress.phase("gc", len(trash) + len(survey.left))
        purged, kept = self._each(trash, lambda image: self._purge(image, refs, survey), str)
        orphans, stay = self._each(
            survey.left, lambda left: self._orphan(left, refs, survey), lambda left: left.image
        )
        named = (replace(one, name=names[one.image]) for one in kept)
        made = Collected(self.dry_run, purged, orphans, (*named, *stay))
        if made.failed:
            return made  # where that can't be written, all that is small stays as well
        return replace(
            made,
            hints=self._delete(self._old_hints()),
            claims=self._delete(superseded(place.store, place.now() - _DAY)),
            marks=self._delete(self._old_marks(set(survey.marks) - bare)),
            uploads=self._end_old_uploads(),
        )

    def _each(
        self, items: Sequence[T], work: Callable[[T], Removed | Kept], of: Callable[[T], str]
    ) -> tuple[tuple[Removed, ...], tuple[Kept, ...]]:
        removed: list[Removed] = []
        kept: list[Kept] = []
        for item in items:
            self.cancel.check()
            try:
                made = work(item)
            except (Cancelled, RemoteError):
                raise  # of all of them
            except DiskwrightError as error:
                made = Kept(of(item), error.message, failed=isinstance(error, OutputError))
            if isinstance(made, Removed):
                removed.append(made)
            else:
                kept.append(made)
            self.progress.advance(1)
        return tuple(removed), tuple(kept)

    def _purge(self, image: str, refs: References, found: Survey) -> Removed | Kept:
        place, grace_s = self.place, self.request.grace_s
        if not self.dry_run:
            return purge.purge(place, image, refs, found, grace_s=grace_s)
        chain, why = purge.looked_at(place, image, refs, grace_s=grace_s)
        if chain is None or why:
            return Kept(image, why)
        return purge.removed(chain, leftovers.rest_of(place, image, found))

    def _orphan(self, left: Left, refs: References, found: Survey) -> Removed | Kept:
        place, running = self.place, set(self.journal.living(journal_target(self.place.store)))
        grace_s, doubtful = self.request.orphan_grace_s, self.request.unproven
        try:
            with place.locks.held(left.image):
                why = leftovers.why_kept(
                    place, left, refs, running, found, grace_s=grace_s, doubtful=doubtful
                )
                if not why and not self.dry_run:
                    why = leftovers.remove(place, left, refs)
        except Locked as error:
            why = error.message
        return Kept(left.image, why) if why else left.removed()

    def _old_hints(self) -> Iterator[str]:
        oldest = time_text(int(self.place.now() - changes.KEPT_S))
        for hint in changes.everything(self.place.store):
            if hint.time < oldest:
                yield hint.key

    def _old_marks(self, bare: Iterable[str]) -> Iterator[str]:
        """A run that was aborted so long ago puts no manifest any more."""
        for image in sorted(bare):
            drawn = uuid7_time(image)
            if drawn is not None and drawn < self.place.now() - _MARKS_KEPT_S:
                yield manifest_key(image)

    def _end_old_uploads(self) -> int:
        """Of killed runs that left nothing else, and of single puts in a folder; what is no key of
        a library is another program's. How many, also with a dry run."""
        store, limit = self.place.store, self.place.now() - self.request.orphan_grace_s
        running = set(self.journal.living(journal_target(store)))
        found = [
            one
            for one in store.list_uploads("")
            if one.begun is not None
            and one.begun <= limit
            and (_OURS.fullmatch(one.key) or changes.parsed(one.key))
            and image_of(one.key) not in running
        ]
        for one in () if self.dry_run else found:
            self.cancel.check()
            store.abort_upload(one.key, one.upload_id)
        return len(found)

    def _delete(self, keys: Iterable[str]) -> int:
        """How many, also with a dry run."""
        found = list(keys)
        for key in () if self.dry_run else found:
            self.cancel.check()
            self.place.store.delete(key)
        return len(found)
