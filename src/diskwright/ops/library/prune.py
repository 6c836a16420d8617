"""prune: old versions of a golden image go into the trash once a newer one is proven."""

from __future__ import annotations

from diskwright._values import replace
from diskwright.errors import ConflictError, UsageError
from diskwright.model.care import Pruned, Version
from diskwright.model.library import Entry, Query, Status, Visibility
from diskwright.model.names import uuid7_time
from diskwright.model.times import seconds_of
from diskwright.ops.library import trash
from diskwright.ops.library.chain import read_chain
from diskwright.ops.library.changes import OVERLAP_S
from diskwright.ops.library.place import Place, seen
from diskwright.ops.library.uses import said, users
from diskwright.ports import CancelToken

KEEP_TAG = "keep"


def plan(place: Place, channel: str, *, keep: int) -> Pruned:
    """The `keep` newest stay. Raises UsageError for none to keep, or a channel without images."""
    if keep < 1:
        raise UsageError(f"--keep {keep}", "keep one version at least")
    query = Query(
        statuses=(Status.ACTIVE, Status.ERROR), channel=channel, sort="created", descending=True
    )
    found = [one for one in place.catalog.query(query) if one.visibility is not Visibility.SHARED]
    found.sort(key=lambda one: (_made(one), one.id), reverse=True)
    if not channel or not found:
        raise UsageError(f"no image is of the channel {channel!r}", "diskwright image list --wide")
    whole = [one for one in found if one.status is Status.ACTIVE and not _of_future(place, one)]
    kept = [one.id for one in whole[:keep]]
    proven = next((one for one in whole[:keep] if one.proven), None)
    judged = tuple(_judged(place, one, kept, proven) for one in found)
    return Pruned(channel, True, judged, proven="" if proven is None else proven.id)


def _judged(place: Place, entry: Entry, kept: list[str], proven: Entry | None) -> Version:
    if entry.id in kept:
        number = kept.index(entry.id) + 1
        why = f"number {number} of the newest {len(kept)}"
        return Version(entry, False, f"{why}, proven {entry.proven}" if entry.proven else why)
    if why := _holds(place, entry):
        return Version(entry, False, why)
    if proven is None:
        return Version(entry, False, "no newer version that stays is proven: image prove")
    return Version(entry, True, f"image {proven.id} is newer, and proven {proven.proven}")


def _holds(place: Place, entry: Entry) -> str:
    if entry.status is Status.ERROR:
        return "it is damaged: look at it first"
    if _of_future(place, entry):
        return f"made at {entry.created}, by a clock that is ahead: which is newer can't be told"
    if entry.members:
        return f"shared with {', '.join(one.name or one.account for one in entry.members)}"
    if KEEP_TAG in entry.tags:
        return f"tagged {KEEP_TAG}"
    found = users(place.store, entry.id)
    return f"in use by {said(found)}" if found else ""


def _made(entry: Entry) -> float:
    """The later of both that tell: its manifest, and its id."""
    return max(seconds_of(entry.created), uuid7_time(entry.id) or 0.0)


def _of_future(place: Place, entry: Entry) -> bool:
    return _made(entry) > place.now() + OVERLAP_S


def run(place: Place, planned: Pruned, cancel: CancelToken) -> Pruned:
    """As planned, where it still holds. What can't be deleted stays, and says why."""
    done: list[Version] = []
    for version in planned.versions:
        cancel.check()
        done.append(_run(place, version, planned) if version.goes else version)
    return replace(planned, dry_run=False, versions=tuple(done))


def _run(place: Place, version: Version, planned: Pruned) -> Version:
    image = version.entry.id
    try:
        if not _still_proven(place, planned):
            return replace(version, goes=False, why=f"image {planned.proven} was changed meanwhile")
        deletion = trash.plan_delete(place, image, reason=f"pruned: {version.why}")
        now = deletion.before
        if why := _holds(place, now):
            return replace(version, goes=False, why=why)
        if now.channel != planned.channel:
            return replace(version, goes=False, why="it is of another channel now")
        return replace(version, entry=trash.run(place, deletion))
    except ConflictError as error:
        return replace(version, goes=False, why=error.message)


def _still_proven(place: Place, planned: Pruned) -> bool:
    chain = read_chain(place.store, planned.proven, place.wrapper)
    if chain is None:
        return False
    entry = seen(place, chain)
    whole = entry.status is Status.ACTIVE and not entry.warnings
    return whole and bool(entry.proven) and entry.channel == planned.channel
