"""delete and undelete: into the trash and out of it again; the data never moves."""

from __future__ import annotations

from diskwright._values import Struct
from diskwright.errors import IllegalState, ImageAmbiguous
from diskwright.model.library import Changed, Entry, Status
from diskwright.model.record import Deleted
from diskwright.ops.library.chain import Chain, Link
from diskwright.ops.library.claims import check_free, give_back, holding
from diskwright.ops.library.fold import words_of
from diskwright.ops.library.place import (
    Place,
    append,
    check_state,
    find_entry,
    in_trash,
    seen,
    to_change,
)
from diskwright.ops.library.uses import check_unused
from diskwright.ports_library import Catalog


class TrashPlan(Struct, frozen=True):
    """A record that is going to be put, on what was there when it was planned."""

    before: Entry
    chain: Chain
    body: Deleted
    allow_duplicate: bool = False


def plan_delete(place: Place, wanted: str, *, reason: str = "") -> TrashPlan:
    """Raises ImageInUse, ReadOnlyImage, IllegalState, and what `to_change` raises."""
    chain = to_change(place, wanted)
    entry = seen(place, chain)
    if entry.status is Status.PENDING_DELETE:
        hint = f"empty it: diskwright library gc; or diskwright image undelete {entry.id}"
        raise IllegalState(f"image {entry.id}", "in the trash already", "deleted again", hint)
    check_state(entry, Status.ACTIVE, "deleted")
    check_unused(place.store, entry.id)
    return TrashPlan(entry, chain, Deleted(place.who, True, reason))


def plan_undelete(place: Place, wanted: str, *, allow_duplicate: bool = False) -> TrashPlan:
    """`wanted` may be the name that it had. Raises IllegalState where it is not in the trash or gc
    is about to remove it, NameTaken, and what `to_change` raises."""
    chain = to_change(place, _in_trash(place.catalog, wanted, place.store.url))
    entry = seen(place, chain)
    check_state(entry, Status.PENDING_DELETE, "taken out of the trash")
    if is_going(chain):
        what, hint = f"image {entry.id}", "gc is about to remove it, or was cut short while it did"
        raise IllegalState(what, "being removed", "taken out of the trash", hint)
    if entry.name is not None and not allow_duplicate:
        check_free(place, entry.name, entry.id)
    return TrashPlan(entry, chain, Deleted(place.who, False), allow_duplicate)


def made(place: Place, plan: TrashPlan, *, dry_run: bool) -> Changed:
    """As `run`, told. With `dry_run` nothing is done."""
    after = plan.before if dry_run else run(place, plan)
    return Changed(after, words_of(plan.body), dry_run)


def run(place: Place, plan: TrashPlan) -> Entry:
    """The image after the change. Raises ChangedMeanwhile, NameTaken."""
    entry = plan.before
    if plan.body.deleted:
        after = seen(place, append(place, plan.chain, plan.body))
        if entry.name is not None:
            give_back(place, entry.name, entry.id, sealed=entry.sealed)
        return after
    with holding(place, entry.name or "", entry, duplicate=plan.allow_duplicate):
        return seen(place, append(place, plan.chain, plan.body))


def deletions(chain: Chain) -> tuple[Link, ...]:
    """The records that put it into the trash where it is now; the second one is of gc."""
    found: list[Link] = []
    for link in chain.links:
        if isinstance(link.body, Deleted):
            found = [*found, link] if link.body.deleted else []
    return tuple(found)


def is_going(chain: Chain) -> bool:
    """gc has said that it removes it: nothing may follow."""
    return len(deletions(chain)) > 1


def find_anywhere(catalog: Catalog, wanted: str, url: str) -> Entry:
    """As `find_entry`; also by the name of one in the trash, where no other has it."""
    if not catalog.matching(wanted):
        return find_entry(catalog, _in_trash(catalog, wanted, url), url)
    return find_entry(catalog, wanted, url)


def _in_trash(catalog: Catalog, wanted: str, url: str) -> str:
    """The id of the one that had this name, else `wanted`: an id, or a part of one."""
    found = in_trash(catalog, wanted)
    if len(found) > 1:
        listed = ", ".join(f"{one.id} (deleted {one.updated})" for one in found[:20])
        raise ImageAmbiguous(url, listed, "name one by its id, or by a longer part of it")
    return found[0].id if found else wanted
