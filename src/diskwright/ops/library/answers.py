"""What we say to others' images: kept in our own library, under `received/`, numbered and put only
if absent. And where an image is read from, ours or another's."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from diskwright._values import Struct, replace
from diskwright.errors import (
    ChangedMeanwhile,
    DataTampered,
    IllegalState,
    NotShared,
    ObjectMissing,
    OutputError,
    RemoteError,
    TargetExists,
    UsageError,
)
from diskwright.model import record as records
from diskwright.model.library import Changed, Entry, MemberState, Visibility
from diskwright.model.names import is_uuid
from diskwright.model.sharing import (
    LIMIT_BYTES,
    RECEIVED,
    Answer,
    NotASharing,
    Received,
    answer_key,
    decode,
    encode,
    received_key,
    received_prefix,
)
from diskwright.ops.library.chain import newest_number, number_of
from diskwright.ops.library.fold import history_of
from diskwright.ops.library.offered import Offered, Origin, is_offered, opened, read_offered
from diskwright.ops.library.pinned import PinnedStore
from diskwright.ops.library.place import Place, check_conditions, find_entry
from diskwright.ops.manifests import manifest_bytes, unwrapped
from diskwright.ports import KeyWrapper, ObjectStore


def answers(store: ObjectStore) -> dict[str, int]:
    """The newest number of each image that was answered."""
    newest: dict[str, int] = {}
    for info in store.list(RECEIVED):
        image = info.key.removeprefix(RECEIVED).partition("/")[0]
        number = number_of(info.key)
        if is_uuid(image) and number and info.key == received_key(image, number):
            newest[image] = max(newest.get(image, 0), number)
    return newest


def save_received(place: Place, entry: Entry, found: Offered | None) -> None:
    """In the catalog; its history stays where it was not `found` anew."""
    known = place.catalog.history(entry.id)
    place.catalog.save(entry, known if found is None else history_of(found.chain))


def said_to(place: Place, image: str, number: int) -> Received | None:
    """None for number 0. Raises DataTampered for what can't be read."""
    if not number:
        return None
    key = received_key(image, number)
    try:
        return decode(Received, place.store.get(key, 0, LIMIT_BYTES + 1), image)
    except ObjectMissing:
        return None
    except NotASharing as error:
        raise DataTampered(key, f"it can't be read ({error})") from error


def state_of(origin: Origin, found: Offered, said: Received | None) -> MemberState:
    """What was said to an older offer, or another library's, is no answer to this one."""
    if said is None or (said.library, said.offer) != (origin.library, found.offer.seq):
        return MemberState.PENDING
    return said.state


class AnswerPlan(Struct, frozen=True):
    """What is going to be said, as the next number. `said` is None where it was said already."""

    entry: Entry  # as it is going to be
    origin: Origin
    found: Offered
    number: int
    said: Received | None


def plan_answer(
    place: Place, origins: Sequence[Origin], wanted: str, state: MemberState
) -> AnswerPlan:
    """Raises UsageError for an image of our own, NotShared, KeyRefused where our key does not open
    what is to be accepted, RemoteUnable, DataTampered."""
    entry = find_entry(place.catalog, wanted, place.store.url)
    if entry.visibility is not Visibility.SHARED:
        hint = "what is offered to us: diskwright image list --visibility shared"
        raise UsageError(f"image {entry.id} is our own: there is nothing to answer", hint)
    check_conditions(place)
    origin, store = _origin(origins, entry)
    found = _offered(origin, store, entry.id)
    if state is MemberState.ACCEPTED:
        _check_opens(origin, found)
    number = newest_number(place.store, received_prefix(entry.id))
    said = Received(
        image=entry.id,
        origin=origin.url,
        library=origin.library,
        offer=found.offer.seq,
        manifest=found.manifest,
        state=state,
        time=place.time(),
        who=place.who,
    )
    try:
        before = said_to(place, entry.id, number)
    except DataTampered:
        before = None  # the next number says it anew
    same = before is not None and replace(before, time=said.time, who=said.who) == said
    return AnswerPlan(found.entry(origin, state), origin, found, number, None if same else said)


def answer(place: Place, plan: AnswerPlan, *, dry_run: bool) -> Changed:
    """Kept in our library; the owner is told where they let us. Raises ChangedMeanwhile."""
    what = "" if plan.said is None else plan.said.state.value
    if dry_run:
        return Changed(plan.entry, what, dry_run)
    if plan.said is not None:
        image, said = plan.said.image, plan.said
        key = received_key(image, plan.number + 1)
        try:
            place.store.put(key, encode(said), if_absent=not place.single_writer)
        except TargetExists as error:
            if place.store.get(key, 0, LIMIT_BYTES) != encode(said):
                raise ChangedMeanwhile(f"image {image}", "another answer was given") from error
        told = Answer(image, said.offer, said.state, said.time, said.who)
        with suppress(RemoteError, OutputError):  # as a rule it is not ours to write there
            plan.origin.open().put(answer_key(plan.origin.account, image), encode(told))
    save_received(place, plan.entry, plan.found)
    return Changed(plan.entry, what, dry_run)


def source(
    place: Place, origins: Sequence[Origin], entry: Entry
) -> tuple[ObjectStore, KeyWrapper | None]:
    """Where the image is to be read from, ours or another's, and what opens it if it is sealed.

    Raises IllegalState for one that was not accepted, NotShared where it is not offered any more,
    KeyRefused where our key was taken out, DataTampered where its manifest was exchanged.
    """
    if not entry.origin:
        _check_manifest(place, entry.id)
        return place.store, place.wrapper if entry.sealed else None
    what = f"image {entry.id}"
    origin, store = _origin(origins, entry)
    found = _offered(origin, store, entry.id)
    newest = newest_number(place.store, received_prefix(entry.id))
    said = said_to(place, entry.id, newest)
    state = state_of(origin, found, said)
    if said is None or state is not MemberState.ACCEPTED:
        hint = f"diskwright image accept {entry.id}"
        raise IllegalState(what, state.value, "used", hint)
    if said.manifest != found.manifest:
        raise DataTampered(what, "its manifest is another than the one that was accepted")
    _check_opens(origin, found)
    pinned = PinnedStore(store, entry.id, said.manifest)
    return pinned, origin.key if found.chain.manifest.sealed else None


def _check_manifest(place: Place, image: str) -> None:
    """That it is the one that the catalog has seen: whoever can write there could put another."""
    made = next((one for one in place.catalog.history(image) if one.seq == 0), None)
    data = manifest_bytes(place.store, image)
    if made is not None and data is not None and records.digest(data) != made.digest:
        raise DataTampered(f"image {image}", "its manifest is another than it was")


def _origin(origins: Sequence[Origin], entry: Entry) -> tuple[Origin, ObjectStore]:
    origin = next((one for one in origins if one.url == entry.origin), None)
    if origin is None:
        raise NotShared(f"image {entry.id}", f"{entry.origin} is not followed here any more")
    return origin, opened(origin)


def _offered(origin: Origin, store: ObjectStore, image: str) -> Offered:
    if not is_offered(origin, store, image):
        raise NotShared(f"image {image}", "it is not offered any more")
    return read_offered(origin, store, image)


def _check_opens(origin: Origin, found: Offered) -> None:
    """Raises KeyRefused, which says who refuses."""
    chain = found.chain
    if chain.manifest.seal is not None and chain.data_key is None:
        unwrapped(chain.recipients, chain.manifest.seal, origin.key)
