"""Images at a destination: which there are, and one of them, opened and checked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from diskwright.envelope.private import open_private
from diskwright.envelope.recipients import unwrap_any
from diskwright.errors import (
    DataTampered,
    ImageAmbiguous,
    ImageNotFound,
    KeyMissing,
    KeyRefused,
    ObjectMissing,
)
from diskwright.model import manifest as manifests
from diskwright.model.manifest import Manifest, ManifestBody, ManifestDisk, clear_part
from diskwright.model.names import MANIFESTS, image_prefix, is_uuid, manifest_key
from diskwright.model.stored import StoredObject
from diskwright.ports import KeyWrapper, ObjectStore


@dataclass(frozen=True, slots=True)
class Found:
    """An image whose manifest holds together; `data_key` is None where it is not sealed."""

    manifest: Manifest
    body: ManifestBody
    data_key: bytes | None = field(repr=False)

    @property
    def disk(self) -> ManifestDisk:
        return self.body.disks[0]

    @property
    def stored(self) -> StoredObject:
        return self.manifest.objects[0]


def find(store: ObjectStore, wanted: str | None, wrapper: KeyWrapper | None) -> Found:
    """The image with that id or name, or the only one.

    Raises ImageNotFound, ImageAmbiguous, KeyMissing, KeyRefused, DataTampered.
    """
    if wanted is not None and is_uuid(wanted):
        manifest = _read(store, wanted)
        if manifest is None:
            raise ImageNotFound(store.url, wanted)
        return _open(manifest, wrapper)
    candidates = list(_all(store))
    if wanted is not None:
        candidates = [m for m in candidates if _name(m, wrapper) == wanted]
    if not candidates:
        raise ImageNotFound(store.url, wanted or "at all")
    if len(candidates) > 1:
        listed = ", ".join(_label(m, wrapper) for m in candidates[:20])
        raise ImageAmbiguous(store.url, listed)
    return _open(candidates[0], wrapper)


def _all(store: ObjectStore) -> Iterator[Manifest]:
    for entry in store.list(MANIFESTS):
        image_id = entry.key.removeprefix(MANIFESTS).removesuffix(".json")
        if entry.key == manifest_key(image_id) and is_uuid(image_id):
            manifest = _read(store, image_id)
            if manifest is not None:
                yield manifest


def _read(store: ObjectStore, image_id: str) -> Manifest | None:
    """None where there is no manifest, or one that says it was aborted."""
    key = manifest_key(image_id)
    try:
        data = store.get(key, 0, manifests.LIMIT_BYTES + 1)
    except ObjectMissing:
        return None
    if len(data) > manifests.LIMIT_BYTES:
        raise DataTampered(key, "it is larger than any manifest")
    try:
        manifest = manifests.decode(data)
    except manifests.NotAManifest as error:
        raise DataTampered(key, f"it can't be read ({error})") from error
    if manifest is not None:
        _check_clear(manifest, image_id, key)
    return manifest


def _check_clear(manifest: Manifest, image_id: str, key: str) -> None:
    """What can be checked without a key: it speaks of this image and of its own objects alone."""
    if manifest.image != image_id:
        raise DataTampered(key, f"it is the manifest of {manifest.image}")
    if not manifest.objects:
        raise DataTampered(key, "it names no object")
    for stored in manifest.objects:
        name = stored.key.removeprefix(image_prefix(image_id))
        if name == stored.key or not name or "/" in name or name.startswith("."):
            raise DataTampered(key, "it names an object of another image")
        if stored.part_size <= 0 or len(stored.part_digests) != max(
            1, -(-stored.size // stored.part_size)
        ):
            raise DataTampered(key, "its sizes and digests do not belong together")


def _open(manifest: Manifest, wrapper: KeyWrapper | None) -> Found:
    key = manifest_key(manifest.image)
    data_key = None
    body = manifest.body
    if manifest.seal is not None:
        data_key = _data_key(manifest, wrapper)
        body = _private(manifest, data_key, key)
    assert body is not None
    if [disk.key for disk in body.disks] != [stored.key for stored in manifest.objects]:
        raise DataTampered(key, "its disks and its objects are not the same")
    return Found(replace(manifest, body=body), body, data_key)


def _data_key(manifest: Manifest, wrapper: KeyWrapper | None) -> bytes:
    assert manifest.seal is not None
    if wrapper is None:
        recipients = ", ".join(f"{r.provider}:{r.key_id}" for r in manifest.recipients)
        raise KeyMissing(f"image {manifest.image}", recipients or "not named")
    return unwrap_any(manifest.recipients, manifest.seal, wrapper.unwrap)


def _private(manifest: Manifest, data_key: bytes, key: str) -> ManifestBody:
    assert manifest.private is not None
    clear = clear_part(manifest)
    try:
        return manifests.decode_body(open_private(data_key, manifest.private, clear, what=key))
    except manifests.NotAManifest as error:
        raise DataTampered(key, f"its private part can't be read ({error})") from error


def _name(manifest: Manifest, wrapper: KeyWrapper | None) -> str | None:
    """None for a sealed image that the given key does not open: it has no name here."""
    if manifest.body is not None:
        return manifest.body.name
    if wrapper is None:
        return None
    try:
        return _open(manifest, wrapper).body.name
    except KeyRefused:
        return None


def _label(manifest: Manifest, wrapper: KeyWrapper | None) -> str:
    name = _name(manifest, wrapper)
    return f"{manifest.image} ({name})" if name is not None else f"{manifest.image} (sealed)"
