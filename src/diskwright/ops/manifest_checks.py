"""What a manifest has to keep to before anything that it names is fetched (docs/layout.md)."""

from __future__ import annotations

import hashlib
import re

from diskwright.errors import DataTampered
from diskwright.formats.vhd.layout import FOOTER_BYTES
from diskwright.model.image import ImageFormat
from diskwright.model.manifest import DiskBase, Manifest, ManifestBody, ManifestDisk
from diskwright.model.names import image_prefix, is_uuid, manifest_key, sealed_key
from diskwright.model.stored import PART_MINIMUM, StoredObject
from diskwright.model.units import MIB
from diskwright.writers import FORWARD

# Formats in which a disk's size decides the object's, and by how much that one is larger
_SIZES = {ImageFormat.RAW: 0, ImageFormat.VHD: FOOTER_BYTES}
_SECTOR = 512
_DIGEST = re.compile(r"[0-9a-f]{64}")
_STEM = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")


def check_clear(manifest: Manifest, image_id: str) -> None:
    """What needs no key: it speaks of this image, and of objects that can be. DataTampered."""
    key = manifest_key(image_id)
    if manifest.image != image_id:
        raise DataTampered(key, f"it is the manifest of {manifest.image}")
    if not manifest.objects:
        raise DataTampered(key, "it names no object")
    for number, stored in enumerate(manifest.objects):
        if manifest.sealed and stored.key != sealed_key(image_id, number):
            raise DataTampered(key, "it names what is no sealed object of its image")
        _check_object(stored, key)
    if manifest.body is not None:
        check_body(manifest, manifest.body)


def check_body(manifest: Manifest, body: ManifestBody) -> None:
    """Its disks are those of its objects, and their numbers agree. DataTampered."""
    key = manifest_key(manifest.image)
    if [disk.key for disk in body.disks] != [stored.key for stored in manifest.objects]:
        raise DataTampered(key, "its disks and its objects are not the same")
    for number, (disk, stored) in enumerate(zip(body.disks, manifest.objects, strict=True)):
        _check_disk(disk, key)
        if disk.base is not None:
            _check_base(disk.base, disk.format, manifest)
        if manifest.sealed:
            continue
        if not _is_plain_key(disk.key, manifest.image, number, disk.format):
            raise DataTampered(key, "it names what is no import-ready object of its image")
        if stored.size != disk.stored_size:
            raise DataTampered(key, "its sizes do not belong together")


def _check_object(stored: StoredObject, key: str) -> None:
    if stored.part_size < PART_MINIMUM or stored.part_size % MIB:
        raise DataTampered(key, f"nothing is stored in parts of {stored.part_size} bytes")
    if len(stored.part_digests) != max(1, -(-stored.size // stored.part_size)):
        raise DataTampered(key, "its sizes and digests do not belong together")
    if not all(_DIGEST.fullmatch(digest) for digest in stored.part_digests):
        raise DataTampered(key, "a part's digest in it is none")
    whole = hashlib.sha256(b"".join(bytes.fromhex(d) for d in stored.part_digests)).hexdigest()
    if whole != stored.digest:
        raise DataTampered(key, "its digests do not belong together")


def _check_disk(disk: ManifestDisk, key: str) -> None:
    if disk.format not in FORWARD:
        raise DataTampered(key, "it names a format that is never stored")
    if not _DIGEST.fullmatch(disk.digest):
        raise DataTampered(key, "its disk digest is none")
    size = disk.virtual_size
    if size <= 0 or size % _SECTOR or not 0 <= size - disk.exact_size < _SECTOR:
        raise DataTampered(key, f"no disk has {size} bytes, made of {disk.exact_size}")
    more = _SIZES.get(ImageFormat(disk.format))
    if more is not None and disk.stored_size != size + more:
        raise DataTampered(key, f"its {disk.format} disk has another size than its object")


def _check_base(base: DiskBase, image_format: str, manifest: Manifest) -> None:
    """It can be an object of another image, sealed if this one is."""
    key = manifest_key(manifest.image)
    if image_format != ImageFormat.QCOW2:
        raise DataTampered(key, f"no {image_format} holds what differs from a base")
    if not is_uuid(base.image) or base.image == manifest.image or base.disk < 0:
        raise DataTampered(key, "a base in it is none")
    if not _DIGEST.fullmatch(base.digest):
        raise DataTampered(key, "a base's digest in it is none")
    if manifest.sealed:
        known = base.key == sealed_key(base.image, base.disk)
    else:
        known = any(_is_plain_key(base.key, base.image, base.disk, one) for one in FORWARD)
    if not known:
        raise DataTampered(key, "it names a base that is no object of its image")


def _is_plain_key(key: str, image_id: str, number: int, image_format: str) -> bool:
    prefix, suffix = image_prefix(image_id), f"-{number}.{image_format}"
    if not (key.startswith(prefix) and key.endswith(suffix)):
        return False
    return _STEM.fullmatch(key[len(prefix) : -len(suffix)]) is not None
