"""An import-ready object is fetched in pieces, and each part has its digest."""

from __future__ import annotations

import hashlib
import random

import pytest

from diskwright.errors import DataTampered
from diskwright.model.guest import GuestFacts
from diskwright.model.image import ImageFacts, ImageFormat
from diskwright.model.manifest import Manifest, ManifestBody, ManifestDisk
from diskwright.model.stored import StoredObject
from diskwright.model.units import MIB
from diskwright.ops.fetch import plain_chunks
from diskwright.ops.images import Found
from support.memory_store import MemoryStore

KEY = "images/i/web-0.raw"
PIECE_LIMIT = 16 * MIB


class Watched(MemoryStore):
    """Remembers the longest read."""

    longest = 0

    def get(self, key: str, offset: int = 0, length: int | None = None) -> bytes:
        data = super().get(key, offset, length)
        self.longest = max(self.longest, len(data))
        return data


def found(data: bytes, part_size: int) -> tuple[Watched, Found]:
    store = Watched()
    store.objects[KEY] = data
    digests = [hashlib.sha256(data[at : at + part_size]) for at in range(0, len(data), part_size)]
    whole = hashlib.sha256(b"".join(digest.digest() for digest in digests)).hexdigest()
    stored = StoredObject(KEY, len(data), part_size, tuple(d.hexdigest() for d in digests), whole)
    disk = ManifestDisk(KEY, "raw", False, len(data), len(data), "0" * 64, len(data))
    facts = ImageFacts(ImageFormat.RAW, len(data), len(data), len(data))
    guest: GuestFacts | None = None
    body = ManifestBody("web", (disk,), "w", "raw", facts, guest, "p", (), (), None, {})
    manifest = Manifest("i", "2026-01-02T03:04:05Z", (stored,), body=body)
    return store, Found(manifest, body, None)


@pytest.mark.parametrize("part_size", [8 * MIB, 9 * MIB, 1 << 40])
def test_memory_is_bounded_whatever_the_part_size(part_size):
    data = random.Random(1).randbytes(37 * MIB + 512)
    store, image = found(data, part_size)
    assert b"".join(bytes(chunk.data) for chunk in plain_chunks(store, image)) == data
    assert store.longest <= PIECE_LIMIT


@pytest.mark.parametrize("at", [0, 8 * MIB, 17 * MIB, -1])
def test_a_changed_byte_anywhere_in_a_part_is_seen(at):
    data = random.Random(2).randbytes(20 * MIB)
    store, image = found(data, 18 * MIB)
    changed = bytearray(data)
    changed[at] ^= 1
    store.objects[KEY] = bytes(changed)
    with pytest.raises(DataTampered, match="does not have its digest"):
        list(plain_chunks(store, image))
