"""A local output takes its name: what it may take the place of, and how that lasts."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from diskwright.errors import OutputNotWritable, TargetExists, output_error

_NO_LINK = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}
_RENAME_NOREPLACE = 1  # linux/fs.h
_AT_FDCWD = -100  # linux/fcntl.h


def check_target(path: str, *, force: bool) -> None:
    """Raises TargetExists without `force`, OutputNotWritable for a directory and for whatever else
    is never replaced."""
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise output_error(path, error) from error
    if stat.S_ISDIR(mode):
        raise OutputNotWritable(path, "it is a directory", "name a file in it")
    if not force:
        raise TargetExists(path)
    if not stat.S_ISREG(mode):
        # a device, a link to who knows where: never replaced by a file
        raise OutputNotWritable(path, "it is there and is not a regular file")


def move_if_absent(source: str, target: str) -> None:
    """Raises FileExistsError where `target` is there."""
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in _NO_LINK:
            raise
        _rename_no_replace(source, target)  # vfat and exFAT have no links, but this
    else:
        os.unlink(source)


def _rename_no_replace(source: str, target: str) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    paths = _AT_FDCWD, os.fsencode(source), _AT_FDCWD, os.fsencode(target)
    if libc.renameat2(*paths, _RENAME_NOREPLACE):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), target)


@contextmanager
def locked_folder(path: str) -> Iterator[None]:
    """Of all who ask for the lock of this folder, one at a time is inside. Raises OSError."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def replace_file(path: str, data: bytes) -> None:
    """A small file, mode 0600, whole and durable under its name when this returns. Whoever calls
    holds a lock that all its writers take: what a killed one left beside it is nobody's. Raises
    OSError; then nothing is left beside it."""
    folder, name = os.path.split(path)
    temporary = os.path.join(folder, f".{name}.new")
    with suppress(FileNotFoundError):
        os.unlink(temporary)
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with open(fd, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.rename(temporary, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    sync_folder(folder)


def sync_folder(path: str) -> None:
    """A name is durable once its folder is."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except PermissionError:
        os.sync()  # it may be written and not read
        return
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def sync_published(path: str, fd: int) -> None:
    """The name `path` of the open file `fd` is made durable, or taken back: a failure leaves no
    output. Raises OSError."""
    try:
        sync_folder(os.path.dirname(path))
    except OSError:
        # what somebody else put there meanwhile is not ours
        if _is_at(path, fd):
            os.unlink(path)
        raise


def _is_at(path: str, fd: int) -> bool:
    try:
        return os.path.samestat(os.lstat(path), os.fstat(fd))
    except FileNotFoundError:
        return False
