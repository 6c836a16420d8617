"""What others offer to us, in the catalog: pending, accepted, rejected, or taken back."""

from __future__ import annotations

import json
from collections.abc import Sequence

from diskwright._values import Struct, field, replace
from diskwright.errors import (
    Cancelled,
    DataTampered,
    DiskwrightError,
    NotShared,
    RemoteRefused,
    SecretError,
)
from diskwright.model.library import Entry, MemberState, Query, Status, Synced, Visibility
from diskwright.ops.library.answers import answers, said_to, save_received, state_of
from diskwright.ops.library.offered import Offered, Origin, offers, opened, read_offered
from diskwright.ops.library.place import WITHDRAWN, Place

_NOTE = "answers"  # the newest number of each image that we answered, as of the last sync
_REMEMBERED = 100  # images that were taken back


class _Run(Struct):
    place: Place
    whole: bool
    changed: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    answers: dict[str, int] = field(default_factory=dict)
    before: dict[str, int] = field(default_factory=dict)


def receive(place: Place, origins: Sequence[Origin], synced: Synced, *, whole: bool) -> Synced:
    """`synced`, and the catalog, with what `origins` offer now. One that can't be read is told, and
    its images stay as they were. Without `whole` only what is new is read."""
    shown = _shown(place)
    if not origins and not shown:
        return synced
    run = _Run(place, whole, answers=answers(place.store))
    run.before = json.loads(place.catalog.note(_NOTE) or "{}")
    for origin in origins:
        try:
            _receive(run, origin, shown)
        except Cancelled:
            raise
        except DiskwrightError as error:
            run.unread.append(f"{origin.url}: {error.message}")
    known = {origin.url for origin in origins}
    for entry in shown:
        if entry.origin not in known:
            _withdraw(run, entry)
    place.catalog.set_note(_NOTE, json.dumps(run.answers))
    return replace(
        synced,
        changed=(*synced.changed, *run.changed),
        gone=(*synced.gone, *run.gone),
        damaged=(*synced.damaged, *run.damaged),
        unread=(*synced.unread, *run.unread),
    )


def _shown(place: Place) -> list[Entry]:
    return list(place.catalog.query(Query(visibilities=(Visibility.SHARED,))))


def _receive(run: _Run, origin: Origin, shown: Sequence[Entry]) -> None:
    store = opened(origin)
    images = dict.fromkeys(offers(origin, store))
    for image in images:
        known = run.place.catalog.entry(image)
        if known is not None and known.origin != origin.url:
            run.damaged.append(f"{origin.url} offers image {image}, which is known as another's")
            continue
        same = run.answers.get(image, 0) == run.before.get(image, 0)
        if known is not None and same and not run.whole:
            continue
        try:
            found = read_offered(origin, store, image)
        except NotShared:
            if known is not None:
                _withdraw(run, known)
        except DataTampered as error:
            run.damaged.append(f"{origin.url}: {error.message}")
            if known is not None:
                save_received(run.place, _warned(known, error.message), None)
        except (SecretError, RemoteRefused) as error:  # of this one: the next may be read
            text = f"{origin.url}: {error.message}"
            run.unread += [] if text in run.unread else [text]
        else:
            run.damaged += [f"image {image}: {text}" for text in found.chain.warnings]
            entry, wrong = _judged(run.place, origin, found, run.answers.get(image, 0))
            run.damaged += [f"image {image}: {text}" for text in wrong]
            save_received(run.place, entry, found)
            run.changed.append(image)
    for entry in shown:
        if entry.origin == origin.url and entry.id not in images:
            _withdraw(run, entry)


def _judged(
    place: Place, origin: Origin, found: Offered, number: int
) -> tuple[Entry, tuple[str, ...]]:
    """With what we said to it. Raises nothing for an answer that can't be read: it is none."""
    image = found.chain.manifest.image
    try:
        said = said_to(place, image, number)
    except DataTampered as error:
        return found.entry(origin, MemberState.PENDING), (error.message,)
    state = state_of(origin, found, said)
    entry = found.entry(origin, state)
    if said is None or state is not MemberState.ACCEPTED:
        return entry, ()
    if said.manifest != found.manifest:
        text = "its manifest is another than the one that was accepted: it is not used"
        return _warned(entry, text), (text,)
    return entry, ()


def _warned(entry: Entry, text: str) -> Entry:
    warnings = entry.warnings if text in entry.warnings else (*entry.warnings, text)
    return replace(entry, status=Status.ERROR, warnings=warnings)


def _withdraw(run: _Run, entry: Entry) -> None:
    """Silently, but where we had accepted it."""
    catalog = run.place.catalog
    catalog.forget(entry.id)
    if entry.received is MemberState.ACCEPTED:
        run.gone.append(entry.id)
        told = json.loads(catalog.note(WITHDRAWN) or "[]")[-_REMEMBERED:]
        catalog.set_note(WITHDRAWN, json.dumps([*told, [entry.id, entry.name, entry.origin]]))
