"""Small images put into a store as `prepare` does, without a guest to judge."""

from __future__ import annotations

import hashlib
import os
import time
from dataclasses import dataclass

from diskwright.adapters.kms_local import LocalKey
from diskwright.blockio.digest import digest_reader
from diskwright.blockio.memory import MemoryReader
from diskwright.model import manifest as manifests
from diskwright.model.attributes import ImportAttributes
from diskwright.model.image import ImageFacts, ImageFormat
from diskwright.model.manifest import LibraryEntry, Manifest, ManifestBody, ManifestDisk
from diskwright.model.names import manifest_key, plain_key, sealed_key, uuid7
from diskwright.model.stored import PART_MINIMUM, Chunk, StoredObject
from diskwright.model.times import time_text
from diskwright.ops.sealing import Seal
from support.sealing import assemble

KEY = LocalKey("local:owner.json", "6f1c2a34-5b6d-4e7f-8a9b-0c1d2e3f4a5b", bytes(range(64, 96)))
OTHER_KEY = LocalKey("local:other.json", "7f1c2a34-5b6d-4e7f-8a9b-0c1d2e3f4a5b", bytes(32))


@dataclass(frozen=True)
class Put:
    id: str
    disk: bytes
    seal: Seal | None


def put_image(
    store, name: str, *, key: LocalKey | None = None, size: int = 1 << 20, **entry: object
) -> Put:
    """A raw disk of random bytes; sealed with `key`. `entry` as of `LibraryEntry`."""
    disk = os.urandom(size)
    image = uuid7(int(time.time() * 1000), os.urandom(10))
    seal, data = None, disk
    where = plain_key(image, name, 0, "raw")
    if key is not None:
        seal = Seal.new(key, disks=[(ImageFormat.RAW, size)], entropy=os.urandom)
        data = assemble(seal.disks[0].chunks(iter([Chunk(0, disk)]), 1))
        where = sealed_key(image, 0)
    store.put(where, data)
    body = ManifestBody(
        name=name,
        disks=(_disk(where, disk),),
        source_name=f"{name}.raw",
        source_format="raw",
        image=ImageFacts(ImageFormat.RAW, size, size, size),
        guest=None,
        profile="huawei-ims",
        findings=(),
        accepted=(),
        attributes=ImportAttributes(name, "Linux", None, "x86", "bios", 1, 512),
        tools={},
        entry=LibraryEntry(**{"kind": "system-disk", "who": "maker@host", **entry}),
    )
    manifest = Manifest(image, time_text(int(time.time())), (stored(where, data),), body=body)
    whole = manifest if seal is None else seal.close(manifest)
    store.put(manifest_key(image), manifests.encode(whole))
    return Put(image, disk, seal)


def stored(key: str, data: bytes) -> StoredObject:
    """What is said of an object of one part or more."""
    parts = [data[at : at + PART_MINIMUM] for at in range(0, max(1, len(data)), PART_MINIMUM)]
    digests = [hashlib.sha256(part).digest() for part in parts]
    whole = hashlib.sha256(b"".join(digests)).hexdigest()
    return StoredObject(key, len(data), PART_MINIMUM, tuple(d.hex() for d in digests), whole)


def _disk(key: str, disk: bytes) -> ManifestDisk:
    digest = digest_reader(MemoryReader.of_bytes(disk), threads=1)
    return ManifestDisk(key, "raw", False, len(disk), len(disk), digest, len(disk))
