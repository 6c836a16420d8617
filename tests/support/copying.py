"""What tests of copies share: an object in a store, and one copy of it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence

from diskwright.adapters.journal import FileUploadJournal
from diskwright.model.nulls import NeverCancelled
from diskwright.model.stored import StoredObject
from diskwright.ops.library.copying import copy_object
from diskwright.ops.upload import StoreDestination
from support.uploading import IMAGE, KEY, OTHER, manifest

SOURCE_KEY = f"images/{OTHER}/disk-0.dws"


class Advanced:
    def __init__(self) -> None:
        self.steps: list[int] = []

    def phase(self, name: str, total: int) -> None:
        raise AssertionError("the caller begins the phase")

    def advance(self, count: int) -> None:
        self.steps.append(count)


def object_in(store, data: Sequence[bytes], part_size: int) -> StoredObject:
    """Parts put as an object, all of `part_size` but the last."""
    upload_id = store.create_upload(SOURCE_KEY, part_size=part_size)
    etags = [
        store.put_part(SOURCE_KEY, upload_id, number, memoryview(part))
        for number, part in enumerate(data, start=1)
    ]
    store.complete_upload(SOURCE_KEY, upload_id, etags)
    digests = [hashlib.sha256(part).digest() for part in data]
    return StoredObject(
        SOURCE_KEY,
        sum(map(len, data)),
        part_size,
        tuple(digest.hex() for digest in digests),
        hashlib.sha256(b"".join(digests)).hexdigest(),
    )


def noise(part_size: int, parts: int = 3) -> list[bytes]:
    """The last part is short."""
    return [os.urandom(part_size) for _ in range(parts - 1)] + [os.urandom(part_size // 3 + 1)]


def copied(source, target, stored, state, *, cancel=None, progress=None) -> StoredObject:
    """One committed image of one copied object."""
    asked = cancel or NeverCancelled()
    journal = FileUploadJournal(str(state))
    with StoreDestination(target, journal, image_id=IMAGE, cancel=asked) as destination:
        made = copy_object(
            source,
            stored,
            KEY,
            destination=destination,
            progress=progress or Advanced(),
            cancel=asked,
        )
        destination.commit(manifest(made))
    return made
