"""check: every object against its manifest, every record against the one before."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing

from diskwright._values import Struct, field, replace
from diskwright.blockio.copy import ordered_map
from diskwright.errors import DataTampered, ObjectMissing
from diskwright.model.care import Checked, Fault, Issue
from diskwright.model.library import Entry, Query, Status
from diskwright.model.names import image_prefix, manifest_key
from diskwright.model.stored import StoredObject
from diskwright.ops.library import leftovers
from diskwright.ops.library.chain import Chain, read_chain
from diskwright.ops.library.deltas import DELTAS_LIMIT
from diskwright.ops.library.faults import faults_of, set_faults
from diskwright.ops.library.fold import history_of
from diskwright.ops.library.names import unreadable_claims
from diskwright.ops.library.place import Place, check_known, seen
from diskwright.ops.library.sync import MANIFEST_GONE, sync
from diskwright.ops.library.uses import used_image
from diskwright.ops.manifests import committed
from diskwright.ports import CancelToken, ObjectStore, Progress

_READERS = 8
_PIECE = 8 << 20
_WHOLE = 100.0


class _Part(Struct, frozen=True):
    image: str
    stored: StoredObject
    number: int  # from 0

    @property
    def size(self) -> int:
        start = self.number * self.stored.part_size
        return max(0, min(self.stored.part_size, self.stored.size - start))


class _Run(Struct):
    place: Place
    percent: float
    there: dict[str, int]
    uses: dict[str, list[str]]  # keys, by who stands on another
    issues: dict[str, list[Issue]] = field(default_factory=dict)  # by image
    chains: dict[str, Chain] = field(default_factory=dict)
    parts: list[_Part] = field(default_factory=list)
    objects: int = 0
    total: int = 0

    def tell(self, fault: Fault, image: str, key: str, detail: str) -> None:
        self.issues.setdefault(image, []).append(Issue(fault, image, key, detail))


def check(
    place: Place, *, percent: float = 1.0, progress: Progress, cancel: CancelToken
) -> Checked:
    """`percent` of all parts are read, one of each image at least; 100: all bytes.

    The catalog is told: what is damaged has the status `error`, what is mended `active` again.
    """
    synced = sync(place, whole=True)
    survey = leftovers.survey(place)
    run = _Run(place, percent, survey.there, survey.uses)
    images = [image for image in committed(place.store) if image not in survey.marks]
    progress.phase("manifests", len(images))

    def read_one(image: str) -> Chain | DataTampered | None:
        cancel.check()
        try:
            return read_chain(place.store, image, place.wrapper)
        except DataTampered as error:
            return error

    with closing(ordered_map(images, read_one, threads=_READERS, ahead=2 * _READERS)) as chains:
        for image, chain in zip(images, chains, strict=True):
            _look(run, image, chain)
            progress.advance(1)
    for image, chain in run.chains.items():
        _look_beneath(run, image, chain)
    _lost(run)
    read = _read_parts(run, progress, cancel)
    for image, chain in run.chains.items():
        _tell_catalog(place, chain, run.issues.get(image, ()))
    told = [issue for image in sorted(run.issues) for issue in run.issues[image]]
    known = {issue.detail for issue in told}
    told += [
        Issue(Fault.DAMAGED, "", "", detail)
        for detail in synced.damaged
        if not any(one in detail for one in known)
    ]
    told += [Issue(Fault.DAMAGED, "", key, why) for key, why in unreadable_claims(place.store)]
    told += list(_orphans(place, survey, run.issues.keys()))
    return Checked(len(run.chains), run.objects, len(run.parts), run.total, read, tuple(told))


def _look(run: _Run, image: str, chain: Chain | DataTampered | None) -> None:
    if isinstance(chain, DataTampered):
        run.tell(Fault.DAMAGED, image, manifest_key(image), chain.message)
        return
    if chain is None:
        return  # it was removed meanwhile
    run.chains[image] = chain
    entry = run.place.catalog.entry(image)
    if entry is not None and not chain.warnings:
        try:
            check_known(entry, chain)
        except DataTampered as error:
            run.tell(Fault.DAMAGED, image, manifest_key(image), error.message)
    for warning in chain.warnings:
        run.tell(Fault.DAMAGED, image, f"records/{image}/", warning)
    parts: list[_Part] = []
    for stored in chain.manifest.objects:
        run.objects += 1
        parts += _of_object(run, image, stored)
    run.total += len(parts)
    was_bad = entry is not None and entry.status is Status.ERROR
    was_bad |= bool(faults_of(run.place.catalog, image))
    run.parts += parts if was_bad else _sample(parts, run.percent, run.place.entropy)


def _of_object(run: _Run, image: str, stored: StoredObject) -> Sequence[_Part]:
    size = run.there.get(stored.key)
    if size is None:  # it may have come after the listing
        info = run.place.store.head(stored.key)
        size = None if info is None else info.size
    if size is None:
        run.tell(Fault.MISSING, image, stored.key, "it is not there")
        return ()
    if size != stored.size:
        detail = f"it has {size} bytes, its manifest says {stored.size}"
        run.tell(Fault.DAMAGED, image, stored.key, detail)
        return ()
    return [_Part(image, stored, number) for number in range(len(stored.part_digests))]


def _look_beneath(run: _Run, image: str, chain: Chain) -> None:
    """What a version rests on is there, down to a whole one. Of a sealed image that was not opened
    the uses tell of which image it is."""
    if chain.body is None:
        for key in run.uses.get(image, ()):
            beneath = manifest_key(used_image(key))
            if run.place.store.head(beneath) is None:
                run.tell(Fault.MISSING, image, beneath, "it rests on it: it is gone")
        return
    for disk in chain.body.disks:
        base, depth = disk.base, 0
        while base is not None and depth <= DELTAS_LIMIT:
            there = run.chains.get(base.image)
            if there is None:
                detail = f"it rests on image {base.image}, which is gone or can't be read"
                run.tell(Fault.MISSING, image, base.key, detail)
                break
            if there.body is None:
                break  # of another key: whether its object is there was looked at
            below = there.body.disks[base.disk] if base.disk < len(there.body.disks) else None
            if below is None or (below.key, below.digest) != (base.key, base.digest):
                detail = f"it rests on it: image {base.image} has another disk"
                run.tell(Fault.DAMAGED, image, base.key, detail)
                break
            if base.key not in run.there and run.place.store.head(base.key) is None:
                run.tell(Fault.MISSING, image, base.key, "it rests on it: it is not there")
                break
            base, depth = below.base, depth + 1


def _sample(parts: list[_Part], percent: float, entropy: Callable[[int], bytes]) -> Sequence[_Part]:
    """Drawn anew each time, so that many checks see all."""
    if percent >= _WHOLE or not parts:
        return parts
    wanted = max(1, round(len(parts) * percent / _WHOLE))
    for place in range(wanted):
        other = place + int.from_bytes(entropy(8), "big") % (len(parts) - place)
        parts[place], parts[other] = parts[other], parts[place]
    return sorted(parts[:wanted], key=lambda part: (part.stored.key, part.number))


def _lost(run: _Run) -> None:
    """Images that the catalog knows, and whose manifests are gone though nobody removed them."""
    for entry in run.place.catalog.query(Query(statuses=(Status.ERROR, Status.PENDING_DELETE))):
        lost = entry.status is Status.ERROR or MANIFEST_GONE in entry.warnings
        if lost and entry.id not in {**run.chains, **run.issues} and not entry.origin:
            run.tell(Fault.MISSING, entry.id, manifest_key(entry.id), MANIFEST_GONE)


def _read_parts(run: _Run, progress: Progress, cancel: CancelToken) -> int:
    """Bytes read."""
    progress.phase("check", sum(part.size for part in run.parts))
    store, read = run.place.store, 0

    def look(part: _Part) -> str:
        return _fault(store, part, cancel)

    with closing(ordered_map(run.parts, look, threads=_READERS, ahead=2 * _READERS)) as found:
        for part, detail in zip(run.parts, found, strict=True):
            read += part.size
            progress.advance(part.size)
            if detail:
                fault = Fault.MISSING if detail == _GONE else Fault.DAMAGED
                run.tell(fault, part.image, part.stored.key, detail)
    return read


_GONE = "it is gone since it was listed"


def _fault(store: ObjectStore, part: _Part, cancel: CancelToken) -> str:
    """What is wrong with a part; else empty."""
    start, digest = part.number * part.stored.part_size, hashlib.sha256()
    try:
        for offset in range(0, part.size, _PIECE):
            cancel.check()
            length = min(_PIECE, part.size - offset)
            data = store.get(part.stored.key, start + offset, length)
            digest.update(data)
    except ObjectMissing:
        return _GONE
    if digest.hexdigest() != part.stored.part_digests[part.number]:
        return f"part {part.number + 1} does not have its digest"
    return ""


def _tell_catalog(place: Place, chain: Chain, issues: Sequence[Issue]) -> None:
    """An image in the trash stays there, whatever is wrong with it; out of it, it is told."""
    entry = place.catalog.entry(chain.manifest.image)
    said = tuple(f"{issue.key}: {issue.detail}" for issue in issues)
    set_faults(place.catalog, chain.manifest.image, said)
    if entry is None or entry.seq > chain.seq or entry.status is Status.PENDING_DELETE:
        return
    found = seen(place, chain)
    if issues:
        found = replace(found, status=Status.ERROR, warnings=(*found.warnings, *said))
    if _shown(found) != _shown(entry):
        place.catalog.save(found, history_of(chain))


def _shown(entry: Entry) -> tuple[Status, tuple[str, ...]]:
    return entry.status, entry.warnings


def _orphans(place: Place, survey: leftovers.Survey, told: Collection[str]) -> Iterator[Issue]:
    for left in survey.left:
        if left.image in told and not left.extra:
            continue  # its manifest is lost, or can't be read
        if leftovers.manifest_lost(place, left, survey.announced):
            key = manifest_key(left.image)
            yield Issue(Fault.MISSING, left.image, key, "nobody removed it, and it is not there")
            continue
        entry = place.catalog.entry(left.image)
        if entry is not None and entry.status in (Status.QUEUED, Status.SAVING):
            continue
        if leftovers.unproven(place, left, survey):
            yield Issue(Fault.MISSING, left.image, manifest_key(left.image), leftovers.UNPROVEN)
            continue
        removed = left.removed()
        detail = f"{removed.objects} objects, {removed.size} bytes belong to no image"
        yield Issue(Fault.ORPHANED, left.image, image_prefix(left.image), detail)
