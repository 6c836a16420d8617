"""What others did: from the hints since the last time, or by listing everything."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import closing

from diskwright._values import Struct, field, replace
from diskwright.blockio.copy import ordered_map
from diskwright.errors import Cancelled, DataTampered, DiskwrightError, IllegalState, Locked
from diskwright.model import codec
from diskwright.model.library import Entry, Query, Status, Synced
from diskwright.model.names import image_prefix
from diskwright.model.record import RECORDS, records_prefix
from diskwright.ops.cleanup import mark_aborted
from diskwright.ops.library import changes, commits
from diskwright.ops.library.chain import Chain, number_of, read_chain
from diskwright.ops.library.claims import give_back
from diskwright.ops.library.faults import remembered
from diskwright.ops.library.fold import history_of
from diskwright.ops.library.place import Place, seen
from diskwright.ops.manifests import committed

MANIFEST_GONE = "its manifest is gone from the library"
_NOTE = "synced"
_WHOLE_AFTER_S = 20 * 86400  # hints are kept for 30 days
_LISTING = 1000  # keys that one request lists
_MANY = 20  # images are looked at one by one; for more, listing all of a library may be quicker
_READERS = 8  # a request is mostly waited for
_LOCAL = (Status.QUEUED, Status.SAVING)


class _Run(Struct):
    place: Place
    changed: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    unopened: bool = False  # a sealed image stayed closed, and there was no key to try

    def told(self, *, whole: bool) -> Synced:
        changed, gone, damaged = map(sorted, (self.changed, self.gone, self.damaged))
        return Synced(tuple(changed), tuple(gone), tuple(damaged), whole)


def rebuild(place: Place) -> Synced:
    """The catalog from the library alone, but for runs that go on here."""
    underway = list(place.catalog.query(Query(statuses=_LOCAL)))
    place.catalog.clear()
    for entry in underway:
        place.catalog.save(entry, ())
    return sync(place, whole=True)


class _Noted(Struct, frozen=True):
    """Of the last sync: when it was, when everything was last listed, and whether sealed images
    were left unopened for want of a key."""

    time: int
    whole: int
    unopened: bool = False


def sync(place: Place, *, whole: bool = False) -> Synced:
    """The catalog is as the library when this returns. Without `whole` only what hints name is
    looked at, where the last sync is not too long ago and they are few."""
    now, run = place.now(), _Run(place)
    noted = _noted(place, now)
    newer: dict[str, bool] = {}
    if not whole and noted is not None:
        newer = _newer(place, changes.since(place.store, noted.time, now))
    if whole or noted is None or _are_many(place, len(newer)):
        noted = _Noted(0, int(now))
        whole = True
        _everything(run)
    else:
        for image, gone in newer.items():
            _look(run, image, None, gone=gone)
    _end_dead_runs(run)
    new = _Noted(int(now), noted.whole, run.unopened or noted.unopened)
    place.catalog.set_note(_NOTE, json.dumps(codec.encode(new)))
    return run.told(whole=whole)


def _noted(place: Place, now: float) -> _Noted | None:
    """None where everything has to be listed: with a key now, what was left unopened may open."""
    text = place.catalog.note(_NOTE)
    noted = None if text is None else codec.decode(_Noted, json.loads(text))
    if noted is None or now - noted.whole > _WHOLE_AFTER_S or noted.time > now:
        return None
    return None if noted.unopened and place.wrapper is not None else noted


def _are_many(place: Place, images: int) -> bool:
    """Each costs a request; listing everything may cost fewer."""
    return images > _MANY and images > _MANY + 2 * place.catalog.count(Query()) // _LISTING


def _newer(place: Place, hints: Iterable[changes.Hint]) -> dict[str, bool]:
    """Images to look at; whether each was said to go."""
    found: dict[str, bool] = {}
    for hint in hints:
        known = place.catalog.entry(hint.image)
        if hint.seq is None:
            if known is not None:
                found[hint.image] = True
        elif known is None or hint.seq > known.seq:
            found.setdefault(hint.image, False)
    return found


def _everything(run: _Run) -> None:
    store, heads = run.place.store, run.place.catalog.heads()
    last = dict.fromkeys(committed(store), 0)
    there = dict.fromkeys(last, 0)  # how many: one in the midst may have been taken away
    for info in store.list(RECORDS):
        image = info.key.removeprefix(RECORDS).partition("/")[0]
        if image in last and (number := number_of(info.key)):
            last[image] = max(last[image], number)
            there[image] += 1
    todo = [
        (image, number)
        for image, number in last.items()
        if image not in heads
        or not number == there[image] == heads[image][0]
        or _is_unopened(run.place, image)
    ]
    read = ordered_map(todo, lambda it: _read(run.place, *it), threads=_READERS, ahead=4 * _READERS)
    with closing(read) as found:
        for (image, _), chain in zip(todo, found, strict=True):
            _take(run, image, chain, gone=False)
    announced = None
    for image in heads.keys() - last.keys():
        if _is_anothers(run.place, image):
            continue
        if announced is None:
            announced = {one.image for one in changes.everything(store) if one.seq is None}
        _missing(run, image, gone=image in announced)


def _is_anothers(place: Place, image: str) -> bool:
    """Of another's library, shared with us: see `received`."""
    entry = place.catalog.entry(image)
    return entry is not None and bool(entry.origin)


def _is_unopened(place: Place, image: str) -> bool:
    """With a key now, what could not be opened before may be."""
    if place.wrapper is None:
        return False
    entry = place.catalog.entry(image)
    return entry is not None and not entry.opened


def _look(run: _Run, image: str, number: int | None, *, gone: bool) -> None:
    _take(run, image, _read(run.place, image, number), gone=gone)


def _read(place: Place, image: str, number: int | None) -> Chain | DataTampered | None:
    """Called from several threads. None where it is not there."""
    try:
        return read_chain(place.store, image, place.wrapper, last=number)
    except DataTampered as error:
        return error


def _take(run: _Run, image: str, chain: Chain | DataTampered | None, *, gone: bool) -> None:
    """What is wrong with one image is told, and keeps no other from being taken."""
    try:
        _found(run, image, chain, gone=gone)
    except IllegalState as error:
        run.damaged.append(error.message)


def _found(
    run: _Run,
    image: str,
    chain: Chain | DataTampered | None,
    *,
    gone: bool,
    again: bool = False,
) -> None:
    place = run.place
    if isinstance(chain, DataTampered):
        run.damaged.append(str(chain))
        return
    known = place.catalog.entry(image)
    if chain is None:
        _missing(run, image, gone=gone)
        return
    if known is not None and (known.origin or known.status in _LOCAL):
        # another's by its own word, and this one lies here; or a run was ended after its manifest
        # came: nothing of it was known before
        known = None
    if known is not None and chain.seq < known.seq:
        if not again:  # another process here may have put one, and told the catalog, meanwhile
            _found(run, image, _read(place, image, None), gone=gone, again=True)
            return
        _warn(run, known, f"the library has {chain.seq} records of it, and had {known.seq}")
        return
    if known is not None and known.head and chain.digest_at(known.seq) != known.head:
        # Also where it was made longer: what comes behind a swapped one is as little believed
        what = f"record {known.seq}" if known.seq else "manifest"
        _warn(run, known, f"its {what} in the library is another than it was")
        return
    entry = remembered(place.catalog, seen(place, chain))
    run.damaged += [f"image {image}: {warning}" for warning in chain.warnings]
    place.catalog.save(entry, history_of(chain))
    commits.keep(place.catalog, chain)
    run.unopened |= not entry.opened and place.wrapper is None
    run.changed.append(image)


def _missing(run: _Run, image: str, *, gone: bool) -> None:
    """Its manifest is not there: it was removed, as its hint says, or else is lost, in the trash
    too. Hints are kept for a while: where nothing at all is left of what was there, it was removed
    before that."""
    entry = run.place.catalog.entry(image)
    if entry is None or entry.status in _LOCAL or entry.origin:
        return
    if gone or (entry.status is Status.PENDING_DELETE and not _anything(run.place, image)):
        run.place.catalog.forget(image)
        run.gone.append(image)
        return
    late = _read(run.place, image, None)  # another process here may have put it meanwhile
    if late is not None:
        _found(run, image, late, gone=False)
        return
    if entry.status is not Status.PENDING_DELETE:
        entry = replace(entry, status=Status.ERROR)
    _warn(run, entry, MANIFEST_GONE)


def _anything(place: Place, image: str) -> bool:
    prefixes = (image_prefix(image), records_prefix(image))
    return any(next(iter(place.store.list(one)), None) is not None for one in prefixes)


def _warn(run: _Run, entry: Entry, warning: str) -> None:
    run.damaged.append(f"image {entry.id}: {warning}")
    if warning not in entry.warnings:
        told = replace(entry, warnings=(*entry.warnings, warning))
        run.place.catalog.save(told, run.place.catalog.history(entry.id))


def _end_dead_runs(run: _Run) -> None:
    """Entries of runs on this workstation that are gone: their locks are free."""
    place = run.place
    for entry in list(place.catalog.query(Query(statuses=_LOCAL))):
        try:
            with place.locks.held(entry.id):
                made = _read(place, entry.id, None)
                if made is not None:
                    _take(run, entry.id, made, gone=False)
                elif _ended(place, entry) and _gave_back(place, entry):
                    place.catalog.forget(entry.id)
        except Locked:
            continue


def _ended(place: Place, entry: Entry) -> bool:
    """Whether no manifest can come any more: it is told by a mark in its place, so that what lies
    there of the run is no image whose manifest is lost. Else a later sync does it."""
    if next(iter(place.store.list(image_prefix(entry.id))), None) is None:
        return True
    try:
        return mark_aborted(place.store, entry.id, single_writer=place.single_writer)
    except Cancelled:
        raise
    except DiskwrightError:
        return False


def _gave_back(place: Place, entry: Entry) -> bool:
    """Whether the name that it had taken is free again. Where that can't be told or written now,
    or needs a key that is not given, a later sync does it."""
    if entry.name is None or (entry.sealed and place.wrapper is None):
        return False
    try:
        give_back(place, entry.name, entry.id, sealed=entry.sealed)
    except Cancelled:
        raise
    except DiskwrightError:
        return False
    return True
