"""A stored image as a new import-ready one elsewhere: opened, and whole."""

from __future__ import annotations

from collections.abc import Callable

from diskwright._values import replace
from diskwright.model.manifest import Manifest
from diskwright.model.names import manifest_key, plain_key, uuid7
from diskwright.model.outcome import Reopened, ReopenedDisk
from diskwright.model.times import time_text
from diskwright.ops.images import Found, find
from diskwright.ops.stored_file import RestoreTools, passing, send
from diskwright.ops.upload import StoreDestination, check_reachable, sweep_dead_runs
from diskwright.ports import CancelToken, ObjectStore, Progress, UploadJournal


def reopen(
    wanted: str | None,
    *,
    tools: RestoreTools,
    store: ObjectStore,
    journal: UploadJournal,
    now: Callable[[], float],
    entropy: Callable[[int], bytes],
    progress: Progress,
    cancel: CancelToken,
) -> Reopened:
    """A stored image as a new import-ready one at `store`, in one streaming pass a disk; what was
    stored as a delta becomes a whole disk."""
    found = find(tools.store, wanted, tools.wrapper, deltas=True)
    image = uuid7(int(now() * 1000), entropy(10))
    check_reachable(store, image)
    sweep_dead_runs(store, journal)
    with StoreDestination(store, journal, image_id=image, notes={}, cancel=cancel) as destination:
        objects, disks = [], []
        for one in found.each():
            key = plain_key(image, found.body.name, one.index, one.disk.format)
            with passing(one, tools, "open", progress, cancel) as file:
                sent = send(file, key, destination=destination)
            objects.append(sent.stored)
            disks.append(replace(one.disk, key=key, stored_size=sent.plain_size, base=None))
        body = replace(found.body, disks=tuple(disks))
        time = time_text(int(now()))
        made = Manifest(image, time, tuple(objects), body=body)
        destination.commit(made)
    return _reopened(found, store.url, tools.store.url, made)


def _reopened(found: Found, target: str, source: str, made: Manifest) -> Reopened:
    assert made.body is not None
    disk, image = made.body.disks[0], made.image
    return Reopened(
        source=source,
        opened=found.manifest.image,
        target=target,
        image=image,
        name=found.body.name,
        key=disk.key,
        manifest_key=manifest_key(image),
        format=disk.format,
        virtual_size=disk.virtual_size,
        stored_size=made.objects[0].size,
        manifest_digest=disk.digest,
        attributes=found.body.attributes,
        profile=found.body.profile,
        passed_over=found.passed_over,
        disks=tuple(
            ReopenedDisk(
                one.name,
                one.key,
                one.format,
                one.virtual_size,
                stored.size,
                one.digest,
                found.body.attributes if one.about is None else one.about.attributes,
            )
            for one, stored in zip(made.body.disks, made.objects, strict=True)
        ),
    )
