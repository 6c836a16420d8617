"""Opening a file that a user named, and knowing it again later.

Only regular files are opened. The name is looked up before it is opened, because opening a device
can have effects; the open itself can't block on a FIFO that took the name meanwhile.
"""

from __future__ import annotations

import os
import stat

from diskwright.errors import InputMissing, InputNotAFile, InputUnreadable, SourceChanged
from diskwright.model.image import FileIdentity

_KINDS = {
    stat.S_IFDIR: "directory",
    stat.S_IFIFO: "FIFO",
    stat.S_IFSOCK: "socket",
    stat.S_IFBLK: "block device",
    stat.S_IFCHR: "character device",
}
_OPEN_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY


def open_image(path: str) -> tuple[int, FileIdentity]:
    """A read-only descriptor of the regular file `path`, which the caller closes, and its identity.

    Every name is a file's: `json:x`, `nbd:x` and `-x` mean nothing else. Raises InputMissing,
    InputNotAFile, InputUnreadable.
    """
    absolute = _absolute(path)
    fd = -1
    try:
        _refuse_unless_regular(absolute, os.stat(absolute))
        fd = os.open(absolute, _OPEN_FLAGS)
        status = os.fstat(fd)
        _refuse_unless_regular(absolute, status)
        os.set_blocking(fd, True)
    except OSError as error:
        _close(fd)
        raise _translated(absolute, error) from error
    except InputNotAFile:
        _close(fd)
        raise
    return fd, identity_of(absolute, status)


def take_identity(path: str) -> FileIdentity:
    """The identity of the regular file `path`. Raises as `open_image` does."""
    fd, identity = open_image(path)
    os.close(fd)
    return identity


def check_identity(identity: FileIdentity) -> None:
    """Raises SourceChanged unless `identity.path` is still that file in that state."""
    try:
        status = os.stat(identity.path)
    except OSError as error:
        reason = error.strerror or "it is gone"
        raise SourceChanged(path=identity.path, what=reason) from error
    now = identity_of(identity.path, status)
    if now == identity:
        return
    if (now.device, now.inode) != (identity.device, identity.inode):
        what = "another file has its name"
    elif now.size != identity.size:
        what = f"its size went from {identity.size} to {now.size} bytes"
    else:
        what = "its time of modification is another"
    raise SourceChanged(path=identity.path, what=what)


def _absolute(path: str) -> str:
    if not path:
        raise InputMissing(path=path)
    if "\0" in path:
        raise InputUnreadable(path=path.replace("\0", "\\0"), reason="a NUL byte in its name")
    return os.path.abspath(path)


def identity_of(path: str, status: os.stat_result) -> FileIdentity:
    """Of the file `status` is of, which has the absolute `path`."""
    return FileIdentity(
        path=path,
        device=status.st_dev,
        inode=status.st_ino,
        size=status.st_size,
        mtime_ns=status.st_mtime_ns,
    )


def _refuse_unless_regular(path: str, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        what = _KINDS.get(stat.S_IFMT(status.st_mode), "special file")
        raise InputNotAFile(path=path, what=what)


def _translated(path: str, error: OSError) -> InputMissing | InputUnreadable:
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        return InputMissing(path=path)
    return InputUnreadable(path=path, reason=error.strerror or str(error))


def _close(fd: int) -> None:
    if fd >= 0:
        os.close(fd)
