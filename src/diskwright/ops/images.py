"""Images at a destination: which there are, and one of them, opened and checked."""

from __future__ import annotations

import os
from collections.abc import Iterator

from diskwright._values import Secretive, replace
from diskwright.errors import (
    DataTampered,
    FolderMissing,
    IllegalState,
    ImageAmbiguous,
    ImageNotFound,
    ImageNotSealed,
    KeyRefused,
    UsageError,
)
from diskwright.model.library import Status
from diskwright.model.manifest import Manifest, ManifestBody, ManifestDisk
from diskwright.model.names import is_uuid
from diskwright.model.record import RECORDS
from diskwright.model.stored import StoredObject
from diskwright.ops.library.chain import read_chain
from diskwright.ops.library.fold import entry_of
from diskwright.ops.manifests import committed, needs_key, opened_with, read_manifest, unwrapped
from diskwright.ports import KeyWrapper, ObjectStore

_LISTED = 20  # more of them make no message better


class Found(Secretive, frozen=True):
    """An image whose manifest holds together; `data_key` is None where it is not sealed."""

    manifest: Manifest
    body: ManifestBody
    data_key: bytes | None
    passed_over: tuple[str, ...] = ()  # what could not be read: manifests beside it, records of it
    index: int = 0  # of the disk that is meant

    @property
    def disk(self) -> ManifestDisk:
        return self.body.disks[self.index]

    @property
    def stored(self) -> StoredObject:
        return self.manifest.objects[self.index]

    def chosen(self, number: int | None) -> Found:
        """With the disk of that number, from 1, or the only one. Raises UsageError."""
        disks = self.body.disks
        listed = ", ".join(f"{n} {disk.name}".rstrip() for n, disk in enumerate(disks, 1))
        what = f"image {self.manifest.image}"
        if number is None and len(disks) > 1:
            hint = f"say --disk NUMBER: {listed}"
            raise UsageError(f"{what}: has {len(disks)} disks", hint)
        if number is not None and not 1 <= number <= len(disks):
            raise UsageError(f"{what}: has no disk {number}", f"there is: {listed}")
        return replace(self, index=(number or 1) - 1)

    def each(self) -> Iterator[Found]:
        """Once with each disk."""
        return (replace(self, index=index) for index in range(len(self.body.disks)))


def find(
    store: ObjectStore, wanted: str | None, wrapper: KeyWrapper | None, *, deltas: bool = False
) -> Found:
    """The image with that id or name, or the only one. With a wrapper only a sealed one will do:
    else whoever can write there could put an image of their own in a sealed one's place. `deltas`
    says that the caller looks for what the disks rest on (see `library.deltas`).

    Where a name is looked for, manifests that can't be read are passed over and told in `Found`.
    Raises FolderMissing, ImageNotFound, ImageAmbiguous, ImageNotSealed, KeyMissing,
    KeyRefused, DataTampered, IllegalState (for a delta).
    """
    found = _find(store, wanted, wrapper)
    bases = {disk.base.image for disk in found.body.disks if disk.base is not None}
    if bases and not deltas:
        state = f"stored as what differs from image {min(bases)}"
        raise IllegalState(f"image {found.manifest.image}", state, "a disk by itself")
    return found


def _find(store: ObjectStore, wanted: str | None, wrapper: KeyWrapper | None) -> Found:
    _check_there(store)
    if wanted is not None and is_uuid(wanted):
        manifest = read_manifest(store, wanted)
        if manifest is None:
            raise ImageNotFound(store.url, wanted)
        return _chosen(store, manifest, wrapper, ())
    damaged: list[DataTampered] = []
    candidates = [
        (manifest, name)
        for manifest, name in _all(store, wrapper, damaged)
        if wanted is None or name == wanted
    ]
    if len(candidates) > 1:
        listed = ", ".join(
            f"{m.image} ({n or 'sealed'}, {m.time})" for m, n in candidates[:_LISTED]
        )
        raise ImageAmbiguous(store.url, listed)
    if damaged and (wanted is None or not candidates):
        raise damaged[0]  # it may be the one that was meant
    if not candidates:
        raise ImageNotFound(store.url, wanted or "at all")
    passed_over = tuple(error.what for error in damaged[:_LISTED])
    (manifest, name) = candidates[0]
    found = _chosen(store, manifest, wrapper, passed_over)
    return found if name is None else replace(found, body=replace(found.body, name=name))


def _check_there(store: ObjectStore) -> None:
    """A store lists a missing folder as an empty one, for `prepare` is going to make it."""
    path = store.url.removeprefix("dir:")
    if path != store.url and not os.path.exists(path):
        raise FolderMissing(path)


def _all(
    store: ObjectStore, wrapper: KeyWrapper | None, damaged: list[DataTampered]
) -> Iterator[tuple[Manifest, str | None]]:
    """Manifests with their images' names, None where sealed. `damaged` gets what can't be read."""
    recorded = {entry.key.removeprefix(RECORDS).partition("/")[0] for entry in store.list(RECORDS)}
    for image_id in committed(store):
        try:
            if image_id in recorded:
                found = _recorded(store, image_id, wrapper)
                if found is not None:
                    yield found
                continue
            manifest = read_manifest(store, image_id)
            name = None if manifest is None else _name(store, manifest, wrapper)
        except DataTampered as error:
            damaged.append(error)
            continue
        if manifest is not None:
            yield manifest, name


def _recorded(
    store: ObjectStore, image_id: str, wrapper: KeyWrapper | None
) -> tuple[Manifest, str | None] | None:
    """As its newest record has it; None where it is in the trash. Raises DataTampered."""
    chain = read_chain(store, image_id, wrapper)
    if chain is None:
        return None
    entry = entry_of(chain)
    return None if entry.status is Status.PENDING_DELETE else (chain.manifest, entry.name)


def _chosen(
    store: ObjectStore, manifest: Manifest, wrapper: KeyWrapper | None, passed_over: tuple[str, ...]
) -> Found:
    where = f"image {manifest.image} at {store.url}"
    if wrapper is not None and not manifest.sealed:
        raise ImageNotSealed(where)
    found = _open(store, manifest, wrapper)
    return replace(found, passed_over=(*passed_over, *found.passed_over))


def _open(store: ObjectStore, manifest: Manifest, wrapper: KeyWrapper | None) -> Found:
    """Of a sealed one those count as recipients whom its newest record names."""
    if manifest.seal is None:
        assert manifest.body is not None
        return Found(manifest, manifest.body, None)
    if wrapper is None:
        raise needs_key(manifest.image, manifest.recipients)
    chain = read_chain(store, manifest.image, wrapper)
    if chain is None:
        raise ImageNotFound(store.url, manifest.image)  # it was there a moment ago
    if chain.body is None or chain.data_key is None:
        data_key = unwrapped(chain.recipients, manifest.seal, wrapper)  # says who refuses
        return Found(manifest, opened_with(manifest, data_key), data_key)
    return Found(chain.manifest, chain.body, chain.data_key, chain.warnings)


def _name(store: ObjectStore, manifest: Manifest, wrapper: KeyWrapper | None) -> str | None:
    """None for a sealed image that the given key does not open: it has no name here."""
    if manifest.body is not None:
        return manifest.body.name
    if wrapper is None:
        return None
    try:
        return _open(store, manifest, wrapper).body.name
    except KeyRefused:
        return None
