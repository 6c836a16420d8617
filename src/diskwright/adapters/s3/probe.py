"""What an endpoint was seen to do. Whatever the outcome, nothing of the probe stays there."""

from __future__ import annotations

import uuid
from contextlib import suppress
from typing import Protocol

from diskwright.errors import (
    DiskwrightError,
    RemoteError,
    RemoteRefused,
    RemoteUnable,
    TargetExists,
)
from diskwright.model.stored import StoreCapabilities
from diskwright.ports import ObjectStore

_TEXT = b"diskwright probe"
_WRONG_MD5 = bytes(16)


class Probed(ObjectStore, Protocol):
    """A store whose requests can be given a digest that is wrong."""

    def put_checked(
        self, key: str, data: bytes, content_md5: bytes, *, attempts: int | None = None
    ) -> None: ...


def try_everything(store: Probed) -> StoreCapabilities:
    """Raises what kept it from writing a plain object and reading it back."""
    folder = f"probe/{uuid.uuid4()}"
    plain = f"{folder}/plain"
    try:
        able = _tried(store, folder, plain)
    except BaseException:
        with suppress(DiskwrightError):  # what went wrong first is what has to be told
            _remove(store, folder)
        raise
    _remove(store, folder)
    return able


def _tried(store: Probed, folder: str, plain: str) -> StoreCapabilities:
    store.put(plain, _TEXT)
    if store.get(plain) != _TEXT:
        raise RemoteUnable(store.url, "give back what was written")
    listed, multipart = _multipart(store, f"{folder}/sent")
    return StoreCapabilities(
        multipart=multipart,
        conditional_put=_refuses_to_overwrite(store, plain),
        part_copy=_copies(store, f"{folder}/copied", plain),
        checksum_verified=_refuses_wrong_md5(store, f"{folder}/wrong"),
        list_uploads=listed,
    )


def _remove(store: Probed, folder: str) -> None:
    for name in ("plain", "sent", "copied", "wrong"):
        store.delete(f"{folder}/{name}")


def _refuses_to_overwrite(store: Probed, key: str) -> bool:
    try:
        store.put(key, _TEXT, if_absent=True)
    except TargetExists:
        return True
    except RemoteUnable:
        return False
    return False


def _refuses_wrong_md5(store: Probed, key: str) -> bool:
    try:
        store.put_checked(key, _TEXT, _WRONG_MD5, attempts=1)
    except RemoteRefused:
        return True
    return False


def _multipart(store: Probed, key: str) -> tuple[bool, bool]:
    """Can it list an open upload, and does a multipart object come out whole?"""
    upload_id = store.create_upload(key, part_size=len(_TEXT))
    listed = False
    try:
        listed = _lists(store, key, upload_id)
        etag = store.put_part(key, upload_id, 1, memoryview(_TEXT))
        store.complete_upload(key, upload_id, [etag])
        return listed, store.get(key) == _TEXT
    except (RemoteUnable, TargetExists):
        return listed, False
    finally:
        store.abort_upload(key, upload_id)


def _lists(store: Probed, key: str, upload_id: str) -> bool:
    try:
        return upload_id in [upload.upload_id for upload in store.list_uploads(key)]
    except RemoteError:
        return False


def _copies(store: Probed, key: str, source: str) -> bool:
    upload_id = store.create_upload(key, part_size=len(_TEXT))
    try:
        etag = store.copy_part(key, upload_id, 1, source, 1, len(_TEXT) - 1)
        store.complete_upload(key, upload_id, [etag])
        return store.get(key) == _TEXT[1:]
    except RemoteError:
        return False
    finally:
        store.abort_upload(key, upload_id)
