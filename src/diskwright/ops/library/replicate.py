"""replicate: a new image of what an image is now, with objects of its own.

plain, as it lies        copied, by the stores themselves where they can
sealed, or to be         opened and sealed anew in one pass: a data key belongs to one image
a delta, to elsewhere    made whole in that pass, dw1 verified; with `whole` here too
quick                    written as an uncompressed qcow2 in one pass, dw1 verified

data -> `replicated` on the source -> the new manifest: of replicate and delete at once one wins.
"""

from __future__ import annotations

from diskwright._values import Struct, replace
from diskwright.errors import OutputNotWritable, RemoteRefused, UsageError
from diskwright.model.library import Entry, Status, Visibility
from diskwright.model.limits import check_name
from diskwright.model.manifest import DiskBase, Manifest, encode_body
from diskwright.model.names import plain_key, sealed_key, uuid7
from diskwright.model.record import Replicated
from diskwright.model.stored import StoredObject
from diskwright.model.text import printable
from diskwright.ops.images import Found
from diskwright.ops.library import changes
from diskwright.ops.library.chain import Chain
from diskwright.ops.library.claims import check_free
from diskwright.ops.library.copying import copy_object
from diskwright.ops.library.fold import entry_of
from diskwright.ops.library.place import (
    Place,
    append,
    check_conditions,
    check_state,
    check_undamaged,
    newest,
    reread,
    seen,
    to_change,
)
from diskwright.ops.library.replica import DiskCopy, Way, bases_of, body_of, planned_entry
from diskwright.ops.library.resting import resting
from diskwright.ops.library.source import found_of, source_chain
from diskwright.ops.library.underway import underway
from diskwright.ops.sealing import Seal
from diskwright.ops.stored_file import RestoreTools, Sent, made_anew, passing, send
from diskwright.ops.upload import StoreDestination, check_reachable, sweep_dead_runs
from diskwright.ports import CancelToken, KeyWrapper, Progress, UploadJournal

_READ_ONLY = (OutputNotWritable, RemoteRefused)


class ReplicateRequest(Struct, frozen=True):
    """`encrypt` seals it, or for another key than the source's; `decrypt` opens it. `whole`: it
    rests on no other image."""

    name: str
    encrypt: KeyWrapper | None = None
    decrypt: bool = False
    quick: bool = False
    whole: bool = False
    allow_duplicate: bool = False


class ReplicatePlan(Struct, frozen=True):
    """What run() is going to do. `chain` is the source as it was planned on, None where no record
    is put on it: it is not ours, or we may only read it. `target` has the key that the new image is
    sealed for."""

    target: Place
    source: Found
    chain: Chain | None
    entry: Entry  # as it is going to be
    disks: tuple[DiskCopy, ...]
    seal: Seal | None
    allow_duplicate: bool

    @property
    def bases(self) -> tuple[DiskBase, ...]:
        """What the new image is going to rest on."""
        return bases_of(self.disks)


def plan(
    place: Place, target: Place, before: Entry, request: ReplicateRequest, *, source: RestoreTools
) -> ReplicatePlan:
    """Nothing is written. `before` is an image that `place` lists, and `source` reads; it is going
    to be replicated to `target`. Others' images are read alone: those that are shared with us, and
    those of a library for everybody, or that we may only read, on the way to another one.

    Raises UsageError, ImageNotFound, KeyMissing, KeyRefused, NameTaken, IllegalState for a source
    in the trash or damaged, DataTampered, and RemoteUnable where the store keeps no conditions.
    """
    check_name(request.name)
    theirs = before.visibility is Visibility.SHARED
    same = place.info.id == target.info.id
    ours = not theirs and (same or not place.info.public)
    recorded = ours and (same or _takes_records(place))
    if recorded:
        chain = to_change(place, before.id, parts=True)
    elif ours:
        chain = newest(place, before)
    else:
        chain = source_chain(source.store, before, source.wrapper)
    found = found_of(chain)
    now = entry_of(chain)
    check_state(now, Status.ACTIVE, "replicated")
    check_undamaged(before, "replicated")
    _check_quick(request, now, target)
    wrapper = _sealing(request, now, target.wrapper if theirs else source.wrapper)
    if wrapper is not None:
        target = replace(target, wrapper=wrapper)
    check_conditions(target)
    if not request.allow_duplicate:
        check_free(target, request.name)
    image = uuid7(int(target.now() * 1000), target.entropy(10))
    check_reachable(target.store, image)
    disks = tuple(
        _planned(one, image, request, sealed=wrapper is not None, same=same) for one in found.each()
    )
    seal = None
    if wrapper is not None:
        shapes = [(one.format, one.source.disk.virtual_size) for one in disks]
        seal = Seal.new(wrapper, disks=shapes, entropy=target.entropy)
    entry = planned_entry(
        now,
        image,
        request.name,
        disks,
        who=target.who,
        time=target.time(),
        sealed=seal is not None,
        quick=request.quick,
        channel="" if same else now.channel,  # a copy is no further version in its channel
    )
    # what a manifest can't say has to be known before the first byte is sent
    encode_body(body_of(found.body, entry, disks, [Sent(one.source.stored, 0) for one in disks]))
    kept = chain if recorded else None
    return ReplicatePlan(target, found, kept, entry, disks, seal, request.allow_duplicate)


def run(
    place: Place,
    planned: ReplicatePlan,
    *,
    source: RestoreTools,
    journal: UploadJournal,
    progress: Progress,
    cancel: CancelToken,
) -> Entry:
    """The new image, whole; or nothing of it, whatever went wrong. `place` is where the source is
    listed.

    Raises ChangedMeanwhile where the source was changed, or deleted, since it was planned;
    NameTaken, ObjectMissing, DataTampered, and what the stores raise.
    """
    target, image = planned.target, planned.entry.id
    with underway(target, planned.entry, duplicate=planned.allow_duplicate):
        sweep_dead_runs(target.store, journal)
        notes = {} if planned.seal is None else {"seal": planned.seal.journal_notes()}
        with (
            resting(target, image, planned.bases) as rest,
            StoreDestination(
                target.store, journal, image_id=image, notes=notes, cancel=cancel
            ) as destination,
        ):
            sent = [
                _send(planned, one, destination, source, progress, cancel) for one in planned.disks
            ]
            manifest = _manifest(planned, sent)
            rest()
            if planned.chain is not None:
                _tell_source(place, planned, planned.chain)
            changes.announce(target.store, image, 0, target.now())
            destination.commit(manifest)
    return seen(target, reread(target, image))


def _takes_records(place: Place) -> bool:
    """False for a library that we may only read. Raises RemoteUnable."""
    try:
        check_conditions(place)
    except _READ_ONLY:
        return False
    return True


def _tell_source(place: Place, planned: ReplicatePlan, chain: Chain) -> None:
    """Of another library it may be that we could write there once, and may only read by now."""
    target = planned.target
    body = Replicated(place.who, planned.entry.id, printable(target.store.url))
    try:
        append(place, chain, body)
    except _READ_ONLY:
        if place.info.id == target.info.id:
            raise


def _check_quick(request: ReplicateRequest, before: Entry, target: Place) -> None:
    if not request.quick:
        return
    if request.encrypt is not None:
        raise UsageError(
            "--quick and --encrypt: a server starts from a plain image", "leave one of them out"
        )
    if before.sealed and not request.decrypt:
        raise UsageError(
            f"image {before.id} is sealed, and a server starts from a plain image",
            "say that it may be opened: --decrypt",
        )
    if not target.store.url.startswith("dir:"):
        raise UsageError(
            f"--quick: no server starts from {target.store.url}",
            "name a library in a folder: --to-library NAME",
        )


def _sealing(
    request: ReplicateRequest, before: Entry, wrapper: KeyWrapper | None
) -> KeyWrapper | None:
    """For whom it is sealed: for its own key where nothing else is asked for, another's for ours
    (`wrapper`). The key that we receive with is no owner's: it names nothing."""
    if request.encrypt is not None and request.decrypt:
        raise UsageError("--encrypt and --decrypt", "an image is sealed or it is not")
    if request.decrypt and not before.sealed:
        raise UsageError(f"image {before.id} is not sealed", "leave --decrypt out")
    if request.encrypt is not None:
        return request.encrypt
    if request.decrypt or not before.sealed:
        return None
    if wrapper is None:
        raise UsageError(
            f"image {before.id} is another's and sealed, and no key of ours was given",
            "name the key that the copy is sealed for: --key local:FILE; or open it: --decrypt",
        )
    return wrapper


def _planned(
    found: Found, image: str, request: ReplicateRequest, *, sealed: bool, same: bool
) -> DiskCopy:
    if request.quick:
        way, ending = Way.QUICK, "qcow2"
    else:
        plain = found.data_key is None and not sealed
        kept = plain and (found.disk.base is None or (same and not request.whole))
        way, ending = Way.COPIED if kept else Way.STREAMED, found.disk.format
    key = (
        sealed_key(image, found.index)
        if sealed
        else plain_key(image, request.name, found.index, ending)
    )
    return DiskCopy(found, key, way)


def _send(
    planned: ReplicatePlan,
    disk: DiskCopy,
    destination: StoreDestination,
    tools: RestoreTools,
    progress: Progress,
    cancel: CancelToken,
) -> Sent:
    found = disk.source
    if disk.way is Way.COPIED:
        progress.phase("replicate", found.stored.size)
        stored = copy_object(
            tools.store,
            found.stored,
            disk.key,
            destination=destination,
            progress=progress,
            cancel=cancel,
        )
        return Sent(stored, found.disk.stored_size)
    seal = None if planned.seal is None else planned.seal.disks[found.index]
    if disk.way is Way.QUICK:
        made = made_anew(found, tools, compressed=False, progress=progress, cancel=cancel)
    else:
        made = passing(found, tools, "replicate", progress, cancel)
    with made as file:
        return send(file, disk.key, destination=destination, seal=seal, threads=tools.local.threads)


def _manifest(planned: ReplicatePlan, sent: list[Sent]) -> Manifest:
    objects: tuple[StoredObject, ...] = tuple(one.stored for one in sent)
    body = body_of(planned.source.body, planned.entry, planned.disks, sent)
    made = Manifest(planned.entry.id, planned.target.time(), objects, body=body)
    return made if planned.seal is None else planned.seal.close(made)
