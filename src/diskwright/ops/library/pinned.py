"""A store to read one image from that is another's: its manifest is the one that was accepted."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import NoReturn

from diskwright._values import Struct
from diskwright.errors import DataTampered, ReadOnlyImage
from diskwright.model import manifest as manifests
from diskwright.model.names import manifest_key
from diskwright.model.stored import Foreign, ObjectInfo, OpenUpload, StoreCapabilities
from diskwright.ports import ObjectStore


class PinnedStore(Struct, frozen=True):
    """An ObjectStore; whatever would change it raises ReadOnlyImage. `digest` is the SHA-256 of the
    manifest of `image`: reading another one raises DataTampered."""

    store: ObjectStore
    image: str
    digest: str

    @property
    def url(self) -> str:
        return self.store.url

    @property
    def place(self) -> str:
        return self.store.place

    def get(self, key: str, offset: int = 0, length: int | None = None) -> bytes:
        if key != manifest_key(self.image):
            return self.store.get(key, offset, length)
        data = self.store.get(key, 0, manifests.LIMIT_BYTES + 1)
        if hashlib.sha256(data).hexdigest() != self.digest:
            raise DataTampered(key, "it is another manifest than the one that was accepted")
        return data[offset : None if length is None else offset + length]

    def head(self, key: str) -> ObjectInfo | None:
        return self.store.head(key)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        return self.store.list(prefix)

    def list_uploads(self, prefix: str) -> Iterator[OpenUpload]:
        return self.store.list_uploads(prefix)

    def put(self, key: str, data: bytes, *, if_absent: bool = False) -> None:  # noqa: ARG002
        self._refuse()

    def delete(self, key: str) -> None:  # noqa: ARG002
        self._refuse()

    def create_upload(self, key: str, *, part_size: int) -> str:  # noqa: ARG002
        self._refuse()

    def put_part(self, key: str, upload_id: str, number: int, data: memoryview) -> str:  # noqa: ARG002
        self._refuse()

    def copy_part(
        self,
        key: str,  # noqa: ARG002
        upload_id: str,  # noqa: ARG002
        number: int,  # noqa: ARG002
        source: str | Foreign,  # noqa: ARG002
        offset: int,  # noqa: ARG002
        length: int,  # noqa: ARG002
    ) -> str:
        self._refuse()

    def copy_source(self, other: ObjectStore, key: str) -> Foreign | None:  # noqa: ARG002
        return None

    def complete_upload(self, key: str, upload_id: str, etags: Sequence[str]) -> None:  # noqa: ARG002
        self._refuse()

    def abort_upload(self, key: str, upload_id: str) -> None:  # noqa: ARG002
        self._refuse()

    def probe(self) -> StoreCapabilities:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise ReadOnlyImage(f"image {self.image}", f"it is shared with us from {self.store.url}")
