"""Images whose manifests are lost: no catalog that is made anew would know of them."""

from __future__ import annotations

from diskwright._values import replace
from diskwright.model.library import Entry, Query, Status, Synced
from diskwright.ops.library import leftovers, sync
from diskwright.ops.library.place import Place


def rebuild(place: Place) -> Synced:
    """The catalog made anew. Told as damaged: what lies in the library without a manifest and was
    never deleted, and what the catalog knew and the library does not."""
    known = [entry for entry in place.catalog.query(Query()) if _lives(entry)]
    made = sync.rebuild(place)
    survey = leftovers.survey(place)
    lost = {left.image for left in survey.left if _is_lost(place, left, survey)}
    there = place.catalog.heads()
    lost |= {entry.id for entry in known if entry.id not in there} - survey.announced
    told = {f"image {image}: {sync.MANIFEST_GONE}" for image in lost}
    return replace(made, damaged=tuple(sorted({*made.damaged, *told})))


def _lives(entry: Entry) -> bool:
    return not entry.origin and entry.status in (Status.ACTIVE, Status.ERROR)


def _is_lost(place: Place, left: leftovers.Left, survey: leftovers.Survey) -> bool:
    if left.extra or place.catalog.entry(left.image) is not None:
        return False
    announced = survey.announced
    return leftovers.manifest_lost(place, left, announced) or leftovers.unproven(
        place, left, survey
    )
