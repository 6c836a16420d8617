"""An ObjectStore over a folder: every object appears whole, under its name, or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TypeVar

from diskwright.adapters.directory import files, names
from diskwright.adapters.directory.probe import try_everything
from diskwright.blockio.placing import sync_folder
from diskwright.blockio.writeback import write_all
from diskwright.errors import (
    InputUnreadable,
    ObjectMissing,
    OutputNotWritable,
    TargetExists,
    writing,
)
from diskwright.model.stored import Foreign, ObjectInfo, OpenUpload, StoreCapabilities
from diskwright.ports import ObjectStore

T = TypeVar("T")

_COPY_BLOCK = 1 << 20
_FOLDER_TRIES = 10  # a folder may be removed as empty by another thread between make and use


class DirectoryStore:
    """`path` is made when something is first written. Uploads lie in `.uploads` until they end."""

    def __init__(self, path: str) -> None:
        self._root = os.path.abspath(path)
        self._uploads = os.path.join(self._root, names.UPLOADS)

    @property
    def url(self) -> str:
        return f"dir:{self._root}"

    @property
    def place(self) -> str:
        return f"dir:{os.path.realpath(self._root)}"

    def put(self, key: str, data: bytes, *, if_absent: bool = False) -> None:
        path = names.object_path(self._root, key)
        with writing(path):
            fd, upload = self._create(key, 0)
            try:
                try:
                    write_all(fd, memoryview(data), 0)
                    os.fsync(fd)
                finally:
                    os.close(fd)
                self._publish(upload, path, if_absent=if_absent)
            finally:
                self._remove_upload(upload.upload_id)

    def get(self, key: str, offset: int = 0, length: int | None = None) -> bytes:
        path = names.object_path(self._root, key)
        with _reading(key, path), open(path, "rb") as file:
            file.seek(offset)
            return file.read() if length is None else file.read(length)

    def head(self, key: str) -> ObjectInfo | None:
        path = names.object_path(self._root, key)
        try:
            with _reading(key, path):
                return ObjectInfo(key, os.stat(path, follow_symlinks=False).st_size)
        except ObjectMissing:
            return None

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """In the order of the keys."""
        yield from self._walk(self._root, "", prefix)

    def _walk(self, folder: str, above: str, prefix: str) -> Iterator[ObjectInfo]:
        try:
            with os.scandir(folder) as entries:
                found = [entry for entry in entries if above or entry.name != names.UPLOADS]
        except FileNotFoundError:
            return
        except OSError as error:
            raise InputUnreadable(folder, os.strerror(error.errno or 0)) from error
        for entry in sorted(found, key=_as_s3_sorts):
            key = above + entry.name
            if entry.is_dir(follow_symlinks=False):
                if (key + "/").startswith(prefix) or prefix.startswith(key + "/"):
                    yield from self._walk(entry.path, key + "/", prefix)
            elif key.startswith(prefix) and entry.is_file(follow_symlinks=False):
                with suppress(FileNotFoundError):  # deleted since the folder was read
                    yield ObjectInfo(key, entry.stat(follow_symlinks=False).st_size)

    def delete(self, key: str) -> None:
        path = names.object_path(self._root, key)
        with writing(path):
            with suppress(FileNotFoundError):
                os.unlink(path)
            files.remove_empty(os.path.dirname(path), self._root)

    def create_upload(self, key: str, *, part_size: int) -> str:
        path = names.object_path(self._root, key)
        with writing(path):
            fd, upload = self._create(key, part_size)
            os.close(fd)
        return upload.upload_id

    def put_part(self, key: str, upload_id: str, number: int, data: memoryview) -> str:
        upload, path = self._upload(key, upload_id)
        if len(data) > upload.part_size or number < 1:
            raise ValueError(f"part {number} of {len(data)} bytes: over {upload.part_size}")
        with self._part_file(key, path) as fd:
            files.write_part(fd, data, (number - 1) * upload.part_size)
        return f"{number}-{len(data)}"

    def copy_part(
        self, key: str, upload_id: str, number: int, source: str | Foreign, offset: int, length: int
    ) -> str:
        whence = Foreign(self._root, source) if isinstance(source, str) else source
        upload, path = self._upload(key, upload_id)
        if length > upload.part_size or number < 1:
            raise ValueError(f"part {number} of {length} bytes: over {upload.part_size}")
        source_path = names.object_path(whence.place, whence.key)
        start = (number - 1) * upload.part_size
        with (
            _reading(whence.key, source_path),
            open(source_path, "rb") as file,
            self._part_file(key, path) as fd,
        ):
            if not files.share_part(fd, start, file.fileno(), offset, length):
                file.seek(offset)
                done = 0
                while done < length:
                    block = file.read(min(_COPY_BLOCK, length - done))
                    if not block:
                        raise InputUnreadable(source_path, "it ends before the range to copy")
                    files.write_part(fd, memoryview(block), start + done)
                    done += len(block)
        return f"{number}-{length}"

    def copy_source(self, other: ObjectStore, key: str) -> Foreign | None:
        """A folder on the same file system, which may be able to share the bytes."""
        if not isinstance(other, DirectoryStore):
            return None
        if files.device_of(other._root) != files.device_of(self._root):
            return None
        return Foreign(other._root, key)

    def complete_upload(self, key: str, upload_id: str, etags: Sequence[str]) -> None:
        upload, path = self._upload(key, upload_id)
        target = names.object_path(self._root, key)
        with self._part_file(key, path) as fd:
            os.ftruncate(fd, _whole_size(upload, etags, os.fstat(fd).st_size))
            os.fsync(fd)
            self._publish(upload, target, if_absent=False)
        self._remove_upload(upload_id)

    def abort_upload(self, key: str, upload_id: str) -> None:
        upload, path = self._upload(key, upload_id)
        with writing(path):
            self._remove_upload(upload.upload_id)

    def list_uploads(self, prefix: str) -> Iterator[OpenUpload]:
        try:
            found = sorted(os.listdir(self._uploads))
        except FileNotFoundError:
            return
        except OSError as error:
            raise InputUnreadable(self._uploads, os.strerror(error.errno or 0)) from error
        for name in found:
            upload = names.UploadName.parse(name)
            if upload is not None and upload.key.startswith(prefix):
                with suppress(FileNotFoundError):  # ended since the folder was read
                    begun = int(os.stat(os.path.join(self._uploads, name)).st_mtime)
                    yield OpenUpload(upload.key, upload.upload_id, begun)

    def probe(self) -> StoreCapabilities:
        """Leaves no folder that was not there before."""
        missing = files.missing_above(self._root)
        try:
            return try_everything(self)
        finally:
            for folder in missing:  # what others put there meanwhile stays
                with suppress(OSError):
                    os.rmdir(folder)

    def path_of(self, key: str) -> str:
        """The file of an object, as it really lies. Raises ObjectMissing."""
        path = names.object_path(self._root, key)
        if not os.path.isfile(path) or os.path.islink(path):
            raise ObjectMissing(key)
        return os.path.realpath(path)

    def protect(self, key: str) -> None:
        """Nobody may write into the object. Of another's file that is theirs to say."""
        path = self.path_of(key)
        with suppress(PermissionError), writing(path):
            os.chmod(path, os.stat(path).st_mode & 0o555)

    # --- files in .uploads ---------------------------------------------------------------------

    def _create(self, key: str, part_size: int) -> tuple[int, names.UploadName]:
        upload = names.UploadName.fresh(key, part_size)
        path = os.path.join(self._uploads, upload.upload_id)
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC

        def make() -> int:
            files.make_folders(self._uploads)
            return os.open(path, flags, 0o666)

        return _with_folder(make), upload

    def _upload(self, key: str, upload_id: str) -> tuple[names.UploadName, str]:
        upload = names.UploadName.parse(upload_id)
        if upload is None or upload.key != key:
            raise ObjectMissing(f"the upload of {key}")
        return upload, os.path.join(self._uploads, upload_id)

    @contextmanager
    def _part_file(self, key: str, path: str) -> Iterator[int]:
        """The upload's file, open for writing. Raises ObjectMissing where it was aborted."""
        with writing(path):
            try:
                fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
            except FileNotFoundError as error:
                raise ObjectMissing(f"the upload of {key}") from error
            try:
                yield fd
            finally:
                os.close(fd)

    def _publish(self, upload: names.UploadName, target: str, *, if_absent: bool) -> None:
        """Give a whole and synced file its name; `link` alone refuses a name that is taken."""
        temporary = os.path.join(self._uploads, upload.upload_id)
        folder = os.path.dirname(target)

        def move() -> None:
            files.make_folders(folder)
            if if_absent:
                os.link(temporary, target)
            else:
                os.rename(temporary, target)
            sync_folder(folder)

        try:
            _with_folder(move)
        except FileExistsError as error:
            raise TargetExists(target) from error
        # The folders above may be new too, and last as long as their own folders say so.
        while len(folder) > len(self._root):
            folder = os.path.dirname(folder)
            sync_folder(folder)

    def _remove_upload(self, upload_id: str) -> None:
        with suppress(FileNotFoundError):
            os.unlink(os.path.join(self._uploads, upload_id))
        files.remove_empty(self._uploads, self._root)


def _as_s3_sorts(entry: os.DirEntry[str]) -> str:
    """By the whole key, in which a folder's name is followed by a slash."""
    return entry.name + "/" if entry.is_dir(follow_symlinks=False) else entry.name


def _with_folder(make: Callable[[], T]) -> T:
    for _ in range(_FOLDER_TRIES):
        with suppress(FileNotFoundError):
            return make()
    return make()


def _whole_size(upload: names.UploadName, etags: Sequence[str], written: int) -> int:
    """The parts must tile the object: all of `part_size`, but for the last. A hole at the end of
    the last part has not made the file grow."""
    before = (len(etags) - 1) * upload.part_size
    last = etags[-1].partition("-")[2] if etags else ""
    wanted = [f"{n}-{upload.part_size}" for n in range(1, len(etags))] + [f"{len(etags)}-{last}"]
    if (
        list(etags) != wanted
        or not (last.isascii() and last.isdigit())
        or int(last) > upload.part_size
        or written > before + int(last)
    ):
        raise OutputNotWritable(upload.key, "the parts that were sent do not make up the object")
    return before + int(last)


@contextmanager
def _reading(key: str, path: str) -> Iterator[None]:
    try:
        yield
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        raise ObjectMissing(key) from error
    except OSError as error:
        raise InputUnreadable(path, os.strerror(error.errno or errno.EIO)) from error
