"""A local output file that is there whole or not at all.

    O_TMPFILE (no name)   ──write──▶  fsync  ──link──▶  path
    or path's folder/.name.random.part       ──rename─▶

Without a name nothing is left even after `kill -9`. Where the file system has no O_TMPFILE the file
is written under a temporary name beside the target.
"""

from __future__ import annotations

import errno
import os
import secrets
from types import TracebackType

from diskwright.blockio.placing import check_target, move_if_absent, sync_published
from diskwright.blockio.writeback import begin_writeback, write_all
from diskwright.errors import DiskwrightError, TargetExists, output_error
from diskwright.model.stored import Chunk, StoredObject
from diskwright.model.units import MIB

_NO_TMPFILE = {errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT}

# Written pages are sent to the disk while there is still something to compute, not all at the end
_FLUSH_BYTES = 16 * MIB


class FileSink:
    """A `ByteSink` to `path`. Gaps between chunks stay holes.

    Without `force` an existing `path` is never touched: TargetExists comes at once, or from
    `finish` when somebody made it meanwhile. With `force` a regular file is replaced in one step.
    Leaving its context without `finish` aborts. Raises DiskFull and OutputNotWritable.
    """

    def __init__(self, path: str, *, force: bool) -> None:
        self._path = os.path.abspath(path)
        self._folder, self._name = os.path.split(self._path)
        self._force = force
        self._size = self._flushed = 0
        self._fd = -1
        self._temporary: str | None = None
        try:
            check_target(self._path, force=self._force)
            self._fd = self._create()
        except OSError as error:
            raise self._translated(error) from error

    def write(self, chunk: Chunk) -> None:
        data = memoryview(chunk.data)
        end = chunk.offset + len(data)
        self._size = max(self._size, end)
        try:
            write_all(self._fd, data, chunk.offset)
            self._flush_some(end)
        except OSError as error:
            raise self._translated(error) from error

    def finish(self) -> StoredObject:
        """The file appears. Its parts are not digested: the key is its path, the tuple empty."""
        try:
            os.ftruncate(self._fd, self._size)
            os.fsync(self._fd)
            check_target(self._path, force=self._force)
            self._publish()
            sync_published(self._path, self._fd)
            self._close()
        except OSError as error:
            raise self._translated(error) from error
        return StoredObject(self._path, self._size, self._size, (), "")

    def abort(self) -> None:
        self._close()
        if self._temporary is not None:
            _unlink(self._temporary)
            self._temporary = None

    def __enter__(self) -> FileSink:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.abort()

    def _create(self) -> int:
        try:
            return os.open(self._folder, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o666)
        except OSError as error:
            if error.errno not in _NO_TMPFILE:
                raise
        temporary = self._spare_name()
        flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC
        fd = os.open(temporary, flags, 0o666)
        self._temporary = temporary
        return fd

    def _publish(self) -> None:
        if self._temporary is None:
            self._publish_nameless()
        elif self._force:
            os.replace(self._temporary, self._path)
        else:
            move_if_absent(self._temporary, self._path)
        self._temporary = None

    def _publish_nameless(self) -> None:
        try:
            self._link_to(self._path)
        except FileExistsError:
            if not self._force:
                raise
            # a name is needed for the moment between these two calls: link never replaces
            self._temporary = self._spare_name()
            self._link_to(self._temporary)
            os.replace(self._temporary, self._path)

    def _link_to(self, path: str) -> None:
        # a directory descriptor, though unused for absolute paths, makes Python call linkat(2),
        # which follows the link in /proc; link(2) would not (open(2), O_TMPFILE)
        os.link(f"/proc/self/fd/{self._fd}", path, src_dir_fd=self._fd, follow_symlinks=True)

    def _flush_some(self, end: int) -> None:
        length = end - self._flushed
        if length >= _FLUSH_BYTES:
            begin_writeback(self._fd, self._flushed, length)
            self._flushed = end

    def _spare_name(self) -> str:
        return os.path.join(self._folder, f".{self._name[:64]}.{secrets.token_hex(6)}.part")

    def _close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _translated(self, error: OSError) -> DiskwrightError:
        if error.errno == errno.EEXIST:
            return TargetExists(self._path)
        return output_error(self._path, error)


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        return
