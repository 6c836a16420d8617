"""Images for quick provisioning in a library that is a folder, without a run of `replicate`."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from diskwright._values import replace
from diskwright.model.image import ImageFacts, ImageFormat
from diskwright.model.manifest import (
    LibraryEntry,
    Manifest,
    ManifestBody,
    ManifestDisk,
    decode,
    encode,
)
from diskwright.model.names import manifest_key, plain_key
from diskwright.model.stored import StoredObject, part_size_for

NOBODY = "0" * 64


def make_quick(library: Path, image_id: str) -> None:
    """What was created plain and not compressed, said to be for quick provisioning."""
    path = library / manifest_key(image_id)
    manifest = decode(path.read_bytes())
    assert manifest is not None
    assert manifest.body is not None
    assert manifest.body.entry is not None
    entry = replace(manifest.body.entry, quick=True)
    path.write_bytes(encode(replace(manifest, body=replace(manifest.body, entry=entry))))


def sparse_quick(library: Path, image_id: str, name: str, size: int) -> Path:
    """A data disk image of zeros that takes no room: its object, raw. Its disk digest is none."""
    key = plain_key(image_id, name, 0, "raw")
    path = library / key
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        os.truncate(file.fileno(), size)
    part = part_size_for(size)
    zeros = hashlib.sha256(bytes(part)).hexdigest()
    last = hashlib.sha256(bytes(size % part or part)).hexdigest()
    digests = (zeros,) * (-(-size // part) - 1) + (last,)
    whole = hashlib.sha256(b"".join(map(bytes.fromhex, digests))).hexdigest()
    body = ManifestBody(
        name=name,
        disks=(ManifestDisk(key, "raw", False, size, size, NOBODY, size),),
        source_name=f"{name}.raw",
        source_format="raw",
        image=ImageFacts(ImageFormat.RAW, size, size, size),
        guest=None,
        profile="huawei-ims",
        findings=(),
        accepted=(),
        attributes=None,
        tools={},
        entry=LibraryEntry("data-disk", "bench", quick=True),
    )
    objects = (StoredObject(key, size, part, digests, whole),)
    manifest = library / manifest_key(image_id)
    manifest.parent.mkdir(exist_ok=True)
    manifest.write_bytes(encode(Manifest(image_id, "2026-01-01T00:00:00Z", objects, body=body)))
    return path
