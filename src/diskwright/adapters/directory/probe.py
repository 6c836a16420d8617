"""What the folder's file system was seen to do; the probe objects are gone afterwards."""

from __future__ import annotations

import uuid

from diskwright.errors import OutputNotWritable, TargetExists
from diskwright.model.stored import StoreCapabilities
from diskwright.ports import ObjectStore

_TEXT = b"diskwright probe"


def try_everything(store: ObjectStore) -> StoreCapabilities:
    """Raises OutputNotWritable where even a plain object can't be written and read back."""
    folder = f"probe/{uuid.uuid4()}"
    plain, joined = f"{folder}/plain", f"{folder}/joined"
    upload_id = ""
    try:
        store.put(plain, _TEXT)
        if store.get(plain) != _TEXT:
            raise OutputNotWritable(store.url, "what was written did not read back")
        conditional = _refuses_to_overwrite(store, plain)
        upload_id = store.create_upload(joined, part_size=len(_TEXT))
        listed = [upload.upload_id for upload in store.list_uploads(joined)] == [upload_id]
        etags = [
            store.put_part(joined, upload_id, 1, memoryview(_TEXT)),
            store.copy_part(joined, upload_id, 2, plain, 0, len(_TEXT)),
        ]
        store.complete_upload(joined, upload_id, etags)
        whole = store.get(joined) == 2 * _TEXT
    finally:
        if upload_id:
            store.abort_upload(joined, upload_id)
        store.delete(joined)
        store.delete(plain)
    return StoreCapabilities(
        multipart=whole,
        conditional_put=conditional,
        part_copy=whole,
        checksum_verified=None,  # a folder is told no checksum
        list_uploads=listed,
    )


def _refuses_to_overwrite(store: ObjectStore, key: str) -> bool:
    try:
        store.put(key, _TEXT, if_absent=True)
    except TargetExists:
        return True
    return False
