"""What uploads have sent, in the state folder: `uploads/<image id>.json`.

    line 1     the header: a JSON object with at least "target", the store's url
    line 2...  one event each, in the order of time

Each line is canonical JSON and is synced before `record` returns. An entry stays locked (`flock`)
while its run lives, so an entry whose lock can be taken belongs to a run that is dead. An entry
whose header a crash has cut short is as if it were not there; the events are for people to read.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import cast

from diskwright.blockio.placing import locked_folder, sync_folder
from diskwright.errors import Locked, output_error, writing
from diskwright.model import canonical
from diskwright.model.names import is_uuid

_SUFFIX = ".json"
_HEADER_LIMIT = 1 << 20  # bytes; the wrapped keys of an image are under 16 KiB


class FileJournalEntry:
    """One run's file, open and locked."""

    def __init__(self, fd: int, path: str, image_id: str, header: Mapping[str, object]) -> None:
        self._fd = fd
        self._path = path
        self._image_id = image_id
        self._header = dict(header)
        self._lock = threading.Lock()

    @property
    def image_id(self) -> str:
        return self._image_id

    @property
    def header(self) -> dict[str, object]:
        return dict(self._header)

    def record(self, event: dict[str, object]) -> None:
        with self._lock, writing(self._path):
            if self._fd < 0:
                raise ValueError("the journal entry is closed")
            _append(self._fd, event)

    def remove(self) -> None:
        with writing(self._path):
            with suppress(FileNotFoundError):
                os.unlink(self._path)
            sync_folder(os.path.dirname(self._path))
        self.close()

    def close(self) -> None:
        """Gives up the lock; the file stays unless it was removed."""
        with self._lock:
            if self._fd >= 0:
                os.close(self._fd)
                self._fd = -1


class FileUploadJournal:
    """`state_folder` is made when it is first needed, for its owner alone."""

    def __init__(self, state_folder: str) -> None:
        self._folder = os.path.join(os.path.abspath(state_folder), "uploads")

    def begin(self, image_id: str, header: dict[str, object]) -> FileJournalEntry:
        if not is_uuid(image_id):
            raise ValueError(f"not an image id: {image_id!r}")
        path = os.path.join(self._folder, image_id + _SUFFIX)
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_APPEND
        with writing(path):
            os.makedirs(self._folder, mode=0o700, exist_ok=True)
            # Nobody looks for dead runs between the file's birth and its lock.
            with locked_folder(self._folder):
                try:
                    fd = os.open(path, flags, 0o600)
                except FileExistsError as error:
                    raise Locked(path) from error
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            try:
                _append(fd, header)
                sync_folder(self._folder)
            except BaseException:
                os.unlink(path)
                os.close(fd)
                raise
        return FileJournalEntry(fd, path, image_id, header)

    def dead(self, target: str) -> Iterator[FileJournalEntry]:
        for image_id, path in self._found():
            entry = self._take(path, image_id, target)
            if entry is not None:
                yield entry

    def living(self, target: str) -> Iterator[str]:
        """Image ids of the runs that go on at `target`: their entries are locked."""
        for image_id, path in self._found():
            with writing(path), suppress(FileNotFoundError), open(path, "rb") as file:
                header = _header(file.fileno()) or {}
                if self._is_locked(file.fileno()) and header.get("target") == target:
                    yield image_id

    def _found(self) -> Iterator[tuple[str, str]]:
        try:
            found = sorted(os.listdir(self._folder))
        except FileNotFoundError:
            return
        except OSError as error:
            raise output_error(self._folder, error) from error
        for name in found:
            image_id = name.removesuffix(_SUFFIX)
            if name != image_id and is_uuid(image_id):
                yield image_id, os.path.join(self._folder, name)

    def _is_locked(self, fd: int) -> bool:
        with locked_folder(self._folder):
            try:
                fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            fcntl.flock(fd, fcntl.LOCK_UN)
            return False

    def _take(self, path: str, image_id: str, target: str) -> FileJournalEntry | None:
        """The entry, locked, if its run is dead and it is of `target`."""
        with writing(path):
            try:
                fd = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_APPEND)
            except FileNotFoundError:
                return None
            kept = False
            try:
                with locked_folder(self._folder):
                    try:
                        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    except BlockingIOError:
                        return None
                if os.fstat(fd).st_nlink == 0:  # its run ended while we looked
                    return None
                header = _header(fd)
                if header is None:
                    # Cut down while it wrote its header, which is synced before anything is
                    # sent: nothing was left anywhere.
                    os.unlink(path)
                    return None
                kept = header.get("target") == target
                return FileJournalEntry(fd, path, image_id, header) if kept else None
            finally:
                if not kept:
                    os.close(fd)


def _append(fd: int, value: Mapping[str, object]) -> None:
    line = memoryview(canonical.encode(value) + b"\n")
    while line:
        line = line[os.write(fd, line) :]
    os.fsync(fd)


def _header(fd: int) -> dict[str, object] | None:
    """None where the first line was cut short."""
    line, end, _ = os.pread(fd, _HEADER_LIMIT, 0).partition(b"\n")
    try:
        value = canonical.decode(line) if end else None
    except canonical.NotCanonical:
        return None
    return cast(dict[str, object], value) if isinstance(value, dict) else None
