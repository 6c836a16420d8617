"""An image out of the trash, for ever. Cut short at any point it leaves an image that is whole, or
what `leftovers` removes.

    record "deleted" once more   only if nothing came since: an undelete wins or loses here
    uses looked at again         a server that began meanwhile has put its use before
    hint `gone`, then the manifest: now there is no such image
    offers and uses of its own; records, the oldest first; data that nothing else names
"""

from __future__ import annotations

from diskwright._values import replace
from diskwright.errors import ChangedMeanwhile, DataTampered, Locked
from diskwright.model.care import Kept, Removed
from diskwright.model.names import manifest_key, uuid7_time
from diskwright.model.record import Deleted, Replicated
from diskwright.model.times import seconds_of, time_text
from diskwright.ops.library import changes
from diskwright.ops.library.chain import Chain, Link, read_chain
from diskwright.ops.library.fold import entry_of
from diskwright.ops.library.leftovers import Left, Survey, remove_rest, rest_of
from diskwright.ops.library.place import Place, append
from diskwright.ops.library.references import References
from diskwright.ops.library.trash import deletions, is_going
from diskwright.ops.library.uses import said, users

_UNDERWAY_S = 86400  # a replica's manifest may come so long after the record that tells of it


def why_kept(place: Place, chain: Chain, refs: References, *, grace_s: float) -> str:
    """Why an image in the trash stays there; else empty."""
    image, deleted = chain.manifest.image, deletions(chain)
    if chain.warnings:
        return chain.warnings[0]
    if chain.manifest.sealed and chain.data_key is None:
        # the record which bars an undelete is sealed, as that is which says that it was deleted
        return "it is sealed: only its key tells whether it is in the trash (--key)"
    if not deleted:
        return "it was taken out of the trash"
    since = _in_trash_since(place, chain, deleted[0])
    if place.now() - since < grace_s and not is_going(chain):
        goes = time_text(int(since + grace_s))
        return f"in the trash since {time_text(int(since))}, may go from {goes} on"
    if found := users(place.store, image):
        return f"in use by {said(found)}"
    for link in chain.links:
        if not isinstance(link.body, Replicated) or link.body.to in refs.known:
            continue
        if place.store.head(manifest_key(link.body.to)) is not None:
            return f"image {link.body.to} has just been made of it"
        if place.now() - seconds_of(link.record.time) < _UNDERWAY_S:
            return f"image {link.body.to} is being made of it"
    return refs.why_needed(image)


def purge(
    place: Place, image: str, refs: References, found: Survey, *, grace_s: float
) -> Removed | Kept:
    """Whatever was planned, it is looked at anew."""
    try:
        with place.locks.held(image):
            return _purge(place, image, refs, found, grace_s)
    except (ChangedMeanwhile, Locked) as error:
        return Kept(image, error.message)


def looked_at(
    place: Place, image: str, refs: References, *, grace_s: float
) -> tuple[Chain | None, str]:
    """As it is now, and why it stays; else empty."""
    try:
        chain = read_chain(place.store, image, place.wrapper)
    except DataTampered as error:
        return None, error.message
    if chain is None:
        return None, "it is gone already"
    return chain, why_kept(place, chain, refs, grace_s=grace_s)


def _purge(
    place: Place, image: str, refs: References, found: Survey, grace_s: float
) -> Removed | Kept:
    chain, why = looked_at(place, image, refs, grace_s=grace_s)
    if chain is None or why:
        return Kept(image, why)
    if not is_going(chain):
        chain = append(place, chain, Deleted(place.who, True, "purged"))
        if used_by := users(place.store, image):
            return Kept(image, f"in use by {said(used_by)}")
    changes.announce(place.store, image, None, place.now())
    left = rest_of(place, image, found)
    place.store.delete(manifest_key(image))
    place.catalog.forget(image)
    remove_rest(place, left)
    return removed(chain, left)


def removed(chain: Chain, left: Left) -> Removed:
    """The same before the record that marks it as going is put, and with it."""
    made = left.removed(entry_of(chain).name or "")
    return replace(made, objects=made.objects - is_going(chain))


def _in_trash_since(place: Place, chain: Chain, deletion: Link) -> float:
    """The latest that anything tells, as a deleter's clock may be behind. Where the deletion is
    older than what it follows, the clock was wrong: it counts from when it was seen here first."""
    image = chain.manifest.image
    times = [seconds_of(link.record.time) for link in chain.links]
    number = chain.links.index(deletion)
    before = [seconds_of(chain.manifest.time), uuid7_time(image) or 0.0, *times[:number]]
    if times[number] >= int(max(before)):
        return max(times)
    note = f"deletion {image} {deletion.digest}"
    seen = place.catalog.note(note)
    if seen is None:
        seen = str(int(place.now()))
        place.catalog.set_note(note, seen)
    return max(*before, *times, float(seen))
