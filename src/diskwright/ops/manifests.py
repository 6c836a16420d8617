"""Manifests as they lie in a store: read, checked, opened with a data key."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from diskwright._values import replace
from diskwright.envelope.private import open_bound
from diskwright.envelope.recipients import unwrap_any
from diskwright.errors import DataTampered, KeyMissing, ObjectMissing
from diskwright.model import manifest as manifests
from diskwright.model.manifest import Manifest, ManifestBody, clear_part
from diskwright.model.names import MANIFESTS, is_uuid, manifest_key
from diskwright.model.recipient import Recipient
from diskwright.ops.manifest_checks import check_body, check_clear
from diskwright.ports import KeyWrapper, ObjectStore


def committed(store: ObjectStore) -> dict[str, int]:
    """Images with a manifest, or the mark of an aborted run, in their order; the bytes of it."""
    there: dict[str, int] = {}
    for info in store.list(MANIFESTS):
        image = info.key.removeprefix(MANIFESTS).removesuffix(".json")
        if is_uuid(image) and info.key == manifest_key(image):
            there[image] = info.size
    return there


def read_manifest(store: ObjectStore, image_id: str) -> Manifest | None:
    """None where there is no manifest, or one that says it was aborted. Raises DataTampered."""
    data = manifest_bytes(store, image_id)
    return None if data is None else manifest_of(data, image_id)


def manifest_bytes(store: ObjectStore, image_id: str) -> bytes | None:
    """None where nothing is there. Raises DataTampered."""
    key = manifest_key(image_id)
    try:
        data = store.get(key, 0, manifests.LIMIT_BYTES + 1)
    except ObjectMissing:
        return None
    if len(data) > manifests.LIMIT_BYTES:
        raise DataTampered(key, "it is larger than any manifest")
    return data


def manifest_of(data: bytes, image_id: str) -> Manifest | None:
    """A manifest that keeps to its form; None for the mark of an aborted one. DataTampered."""
    try:
        manifest = manifests.decode(data)
    except manifests.NotAManifest as error:
        raise DataTampered(manifest_key(image_id), f"it can't be read ({error})") from error
    if manifest is not None:
        check_clear(manifest, image_id)
    return manifest


def opened_with(manifest: Manifest, data_key: bytes) -> ManifestBody:
    """The private part of a sealed image. Raises DataTampered."""
    return opened_bound(manifest, data_key, hashlib.sha256(clear_part(manifest)).digest())


def opened_bound(manifest: Manifest, data_key: bytes, bound: bytes) -> ManifestBody:
    """The same, where it is known what that is bound to (`model.commit`)."""
    assert manifest.private is not None
    key = manifest_key(manifest.image)
    plain = open_bound(data_key, manifest.private, bound, what=key)
    try:
        body = manifests.decode_body(plain)
    except manifests.NotAManifest as error:
        raise DataTampered(key, f"its private part can't be read ({error})") from error
    check_body(replace(manifest, body=body), body)
    return body


def needs_key(image: str, recipients: Sequence[Recipient]) -> KeyMissing:
    """What is raised of a sealed image where no key was given: it names those that open it."""
    names = ", ".join(f"{one.provider}:{one.key_id}" for one in recipients)
    return KeyMissing(f"image {image}", names or "not named")


def unwrapped(recipients: Sequence[Recipient], seal: str, wrapper: KeyWrapper) -> bytes:
    """The data key. Raises KeyRefused where `wrapper` is none of the recipients."""
    return unwrap_any(recipients, seal, wrapper.unwrap)
