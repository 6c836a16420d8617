"""The contracts between the rooms: read this file first.

Sizes are bytes, offsets are bytes from 0. Stores and readers may be called from several threads.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # light to import: every confined child does
    from diskwright.model.cost import ReadingCost
    from diskwright.model.examined import Examined
    from diskwright.model.extent import Extent
    from diskwright.model.guest import GuestFacts
    from diskwright.model.image import DiskFile, FileIdentity, ImageFormat
    from diskwright.model.manifest import Manifest
    from diskwright.model.profile import Minimum
    from diskwright.model.stored import (
        Chunk,
        Foreign,
        Layout,
        ObjectInfo,
        OpenUpload,
        StoreCapabilities,
        StoredObject,
        WrappedKey,
    )


class BlockReader(Protocol):
    """A virtual disk to read."""

    @property
    def size(self) -> int: ...
    @property
    def parallel(self) -> int: ...  # how many reads at once do some good
    def extents(self, start: int, length: int) -> Iterator[Extent]:
        """Ascending, gapless, each longer than 0, their lengths sum up to `length`."""

    def read_into(self, offset: int, buffer: memoryview) -> None:
        """Fill `buffer` whole, or raise."""

    def close(self) -> None: ...


class FormatWriter(Protocol):
    """A virtual disk to a file format in one forward pass; nothing is staged."""

    def plan(self, extents: Iterable[Extent]) -> Layout: ...
    def chunks(self, reader: BlockReader) -> Generator[Chunk, None, None]:
        """Forward, but for the head (see `Chunk`). Closing the iterator stops its threads."""


class ByteSink(Protocol):
    """Where chunks go: a file, or an object that is uploaded in parts."""

    def write(self, chunk: Chunk) -> None: ...
    def finish(self) -> StoredObject: ...
    def abort(self) -> None:
        """Leave nothing behind; may be called more than once, and after a failed finish."""


class Destination(Protocol):
    """One image's objects and its manifest. Leaving its context without `commit` aborts."""

    def sink(self, key: str, layout: Layout) -> ByteSink: ...
    def commit(self, manifest: Manifest) -> None: ...
    def abort(self) -> None: ...


class ObjectStore(Protocol):
    """A bucket under a prefix, or a folder laid out like one. Keys are relative and use `/`."""

    @property
    def url(self) -> str: ...  # as the user named it, for messages
    @property
    def place(self) -> str: ...  # the one place in the world that it is: endpoint and all
    def put(self, key: str, data: bytes, *, if_absent: bool = False) -> None:
        """Whole or absent. With `if_absent` raises TargetExists where the key is taken."""

    def get(self, key: str, offset: int = 0, length: int | None = None) -> bytes:
        """Raises ObjectMissing. Shorter than `length` only at the object's end."""

    def head(self, key: str) -> ObjectInfo | None: ...
    def list(self, prefix: str) -> Iterator[ObjectInfo]: ...
    def delete(self, key: str) -> None: ...  # no error where the key is not there
    def create_upload(self, key: str, *, part_size: int) -> str:
        """An upload id. Parts have `part_size` bytes, but for the last."""

    def put_part(self, key: str, upload_id: str, number: int, data: memoryview) -> str:
        """Part `number` from 1, in any order; returns its ETag."""

    def copy_part(
        self, key: str, upload_id: str, number: int, source: str | Foreign, offset: int, length: int
    ) -> str:
        """A part from bytes that lie in the store already, or where `copy_source` says."""

    def copy_source(self, other: ObjectStore, key: str) -> Foreign | None:
        """For `copy_part`: an object of `other`, itself too. None: its bytes have to be sent."""

    def complete_upload(self, key: str, upload_id: str, etags: Sequence[str]) -> None:
        """It appears whole; a lost answer is settled before this returns."""

    def abort_upload(self, key: str, upload_id: str) -> None: ...  # nor where it is gone
    def list_uploads(self, prefix: str) -> Iterator[OpenUpload]: ...
    def probe(self) -> StoreCapabilities: ...  # by a probe object of a unique key, then deleted


class UploadJournal(Protocol):
    """What an upload has sent, on this machine's disk, synced before the bytes leave."""

    def begin(self, image_id: str, header: dict[str, object]) -> JournalEntry: ...  # locked
    def dead(self, target: str) -> Iterator[JournalEntry]:
        """Entries for `target` (an ObjectStore's place) whose run is gone; each comes locked."""


class JournalEntry(Protocol):
    @property
    def image_id(self) -> str: ...
    @property
    def header(self) -> dict[str, object]: ...
    def record(self, event: dict[str, object]) -> None: ...  # appended and synced
    def remove(self) -> None: ...  # the run ended well, or was cleaned up
    def close(self) -> None: ...


class KeyWrapper(Protocol):
    """A key service is only this. `context` is bound to the wrapped key."""

    def wrap(self, data_key: bytes, context: bytes) -> WrappedKey: ...
    def unwrap(self, wrapped: WrappedKey, context: bytes) -> bytes:
        """Raises KeyRefused where the key, the context or the wrapped key is another."""


class BlockExporter(Protocol):
    """Opens the files of a disk for reading, confined: these files and nothing else."""

    def open(self, disk: DiskFile, *, connections: int) -> AbstractContextManager[BlockReader]: ...
    def descriptor(self, disk: DiskFile) -> AbstractContextManager[int]:
        """For a confined child: a raw file read-only, else a fresh connection to its export."""


class Unpacker(Protocol):
    """Opens what was packed by gzip, xz, zstd or bzip2, within limits."""

    def unpacked(
        self, identity: FileIdentity, packing: ImageFormat
    ) -> AbstractContextManager[FileIdentity]:
        """The content as a file that is gone when the context is left. Raises ImageRefused."""


class GuestInspector(Protocol):
    def inspect(self, disk: DiskFile) -> GuestFacts: ...
    def examine(self, disk: DiskFile, wishes: Sequence[str]) -> Examined: ...
    def measured(self, disk: DiskFile) -> tuple[GuestFacts, ReadingCost | None]:
        """In one confined child; a crash or a hang of it is `unknown`, never ours (no cost)."""


class ImageConverter(Protocol):
    """The reference tool, for formats without a forward writer."""

    def convert(
        self,
        disk: DiskFile,
        target_path: str,
        target_format: ImageFormat,
        *,
        subformat: str,
        compress: bool,
        progress: Progress,
        cancel: CancelToken,
    ) -> None:
        """Into `target_path`, an absolute path made for it beforehand."""


class StagedFile(Protocol):
    """A local output under a temporary name beside its own; leaving its context removes it."""

    @property
    def path(self) -> str: ...
    def commit(self) -> None: ...  # it is synced and appears under its own name, whole


class OsDatabase(Protocol):
    @property
    def date(self) -> str: ...
    def minimum(self, os_id: str, version: str | None, architecture: str) -> Minimum | None: ...


class Progress(Protocol):
    def phase(self, name: str, total: int) -> None: ...
    def advance(self, count: int) -> None:
        """Bytes done, skipped ones too; below 0 after a retry."""


class CancelToken(Protocol):
    def check(self) -> None: ...  # raises Cancelled once the user has asked to stop
