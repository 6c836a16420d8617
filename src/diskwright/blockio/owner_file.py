"""Small files with keys: their owner's alone, read whole, never overwritten."""

from __future__ import annotations

import os
import stat

from diskwright.blockio.placing import sync_folder
from diskwright.errors import KeyUnreadable, OutputNotWritable, TargetExists, output_error

LIMIT_BYTES = 4096  # a key file has some 300, a public one some 1,900


def read_owned(path: str, *, name: str) -> bytes:
    """A file that nobody but its owner may read or change. Raises KeyUnreadable about `name`."""
    return _read(path, name, owned=True)


def read_public(path: str, *, name: str) -> bytes:
    """The same of a file that others may read and change. Raises KeyUnreadable about `name`."""
    return _read(path, name, owned=False)


def malformed(name: str, detail: str) -> KeyUnreadable:
    """The error of a file that is none of ours."""
    return KeyUnreadable(name, f"this is no key file ({detail})")


def create(path: str, data: bytes, *, mode: int = 0o600) -> None:
    """A new file, synced, with `mode` whatever the umask.

    Raises TargetExists where something has that name, OutputError where it can't be written.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        descriptor = os.open(path, flags, mode)
    except FileExistsError as error:
        hint = "choose another name: a key file is never overwritten"
        raise TargetExists(path, hint) from error
    except OSError as error:
        raise output_error(path, error) from error
    except ValueError as error:  # a NUL in the path
        raise OutputNotWritable(path, str(error)) from error
    try:
        with open(descriptor, "wb") as file:
            os.fchmod(descriptor, mode)  # whatever the umask took away
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        sync_folder(os.path.dirname(path) or ".")
    except OSError as error:
        os.unlink(path)
        raise output_error(path, error) from error


def _read(path: str, name: str, *, owned: bool) -> bytes:
    try:
        # not blocking: a FIFO of that name must not hang us
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise KeyUnreadable(name, _reason(error)) from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise KeyUnreadable(name, "it is no regular file")
        if owned and status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            mode = stat.S_IMODE(status.st_mode)
            raise KeyUnreadable(
                name, f"others may read or change it (mode {mode:04o})", f"chmod 600 -- {path}"
            )
        data = os.read(descriptor, LIMIT_BYTES + 1)
    except OSError as error:
        raise KeyUnreadable(name, _reason(error)) from error
    finally:
        os.close(descriptor)
    if len(data) > LIMIT_BYTES:
        raise malformed(name, f"it has over {LIMIT_BYTES} bytes")
    return data


def _reason(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)
