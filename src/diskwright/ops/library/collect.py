"""gc: what is in the trash for long enough, what belongs to no image, and old hints."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from diskwright.errors import DataTampered, Locked
from diskwright.model.care import ORPHAN_GRACE_S, TRASH_GRACE_S, Collected, Kept, Removed
from diskwright.model.library import Query, Status, Visibility
from diskwright.model.names import is_uuid, manifest_key, uuid7_time
from diskwright.ops.cleanup import journal_target, sweep_dead_runs
from diskwright.ops.library import changes, leftovers, purge
from diskwright.ops.library.chain import read_chain
from diskwright.ops.library.fold import entry_of
from diskwright.ops.library.leftovers import Left
from diskwright.ops.library.names import superseded
from diskwright.ops.library.place import Place, check_conditions
from diskwright.ops.library.references import References, read_references
from diskwright.ops.library.sync import sync
from diskwright.ops.uploads import RunsJournal
from diskwright.ports import CancelToken, Progress

_DAY = 86400
_MARKS_KEPT_S = 30 * _DAY  # the mark of an aborted run; its run is surely gone by then


@dataclass(frozen=True, slots=True)
class CollectRequest:
    """How long an image stays in the trash, and what belongs to none stays at all."""

    grace_s: float = TRASH_GRACE_S
    orphan_grace_s: float = ORPHAN_GRACE_S


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


@dataclass(slots=True)
class _Run:
    place: Place
    journal: RunsJournal
    request: CollectRequest
    dry_run: bool
    progress: Progress
    cancel: CancelToken

    def everything(self) -> Collected:
        place = self.place
        survey = leftovers.survey(place)
        trash = tuple(
            entry.id
            for entry in place.catalog.query(Query(statuses=(Status.PENDING_DELETE,)))
            if entry.visibility is not Visibility.SHARED
        )
        refs = References()
        if trash or survey.left:
            refs = read_references(place, self.cancel)
        self.progress.phase("gc", len(trash) + len(survey.left))
        purged, kept = self._each(trash, lambda image: self._purge(image, refs))
        orphans, stay = self._each(
            [left for left in survey.left if left.removed().objects],
            lambda left: self._orphan(left, refs),
        )
        gone = {one.image for one in orphans} | set(survey.marks) - {one.image for one in stay}
        return Collected(
            self.dry_run,
            purged,
            orphans,
            (*kept, *stay),
            hints=self._delete(self._old_hints()),
            claims=self._delete(superseded(place.store, place.now() - _DAY)),
            marks=self._delete(self._old_marks(survey.marks, gone)),
        )
