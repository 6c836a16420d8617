"""A local output that takes its name only when it is whole.

For outputs that need a path while they are made: of qemu-img, or read back before they appear.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
from types import TracebackType

from diskwright.blockio.placing import check_target
from diskwright.errors import OutputNotWritable, TargetExists

_TRIES = 8


class BesideTarget:
    """A file in a folder of its own, `.NAME.diskwright-XXXX` beside the target, mode 0700.

    The folder is locked while this lives: what a killed run left is not, and the next run with
    the same target removes it.
    """

    def __init__(self, target: str, *, force: bool) -> None:
        self._target = os.path.abspath(target)
        self._force = force
        self._folder, self._name = os.path.split(self._target)
        self._prefix = f".{self._name[:100]}.diskwright-"
        self._stage = ""
        self._lock = -1

    @property
    def path(self) -> str:
        return os.path.join(self._stage, self._name)

    def __enter__(self) -> BesideTarget:
        check_target(self._target, force=self._force)
        try:
            self._sweep()
            self._make_stage()
            try:
                os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            except OSError:
                self._remove()
                raise
        except OSError as error:
            raise OutputNotWritable(self._target, error.strerror or str(error)) from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._remove()

    def _make_stage(self) -> None:
        for _ in range(_TRIES):
            self._stage = os.path.join(self._folder, self._prefix + secrets.token_hex(6))
            os.mkdir(self._stage, 0o700)
            lock = _locked(self._stage)
            if lock is not None:
                self._lock = lock
                return
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))

    def _remove(self) -> None:
        if self._lock >= 0:
            _empty_and_remove(self._stage, self._lock)
            os.close(self._lock)
            self._lock = -1

    def _sweep(self) -> None:
        with os.scandir(self._folder) as entries:
            left = [
                entry.path
                for entry in entries
                if entry.name.startswith(self._prefix)
                and len(entry.name) == len(self._prefix) + 12
                and entry.is_dir(follow_symlinks=False)
            ]
        for path in left:
            lock = _locked(path)
            if lock is not None:
                try:
                    _empty_and_remove(path, lock)
                finally:
                    os.close(lock)

    def commit(self) -> None:
        """Raises TargetExists where someone took the name meanwhile (unless forced)."""
        check_target(self._target, force=self._force)
        fd = os.open(self.path, os.O_RDONLY)
        try:
            os.fchmod(fd, 0o666 & ~_umask())
            os.fsync(fd)
        finally:
            os.close(fd)
        try:
            if self._force:
                os.replace(self.path, self._target)
            else:
                os.link(self.path, self._target)
                os.unlink(self.path)
        except FileExistsError:
            raise TargetExists(self._target) from None
        except OSError as error:
            raise OutputNotWritable(self._target, error.strerror or str(error)) from error
        self._remove()
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _locked(folder: str) -> int | None:
    """A descriptor that holds the lock of our own `folder`; None where another has or had it."""
    try:
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        status = os.fstat(fd)
        # who had the lock before may have removed it
        if status.st_uid == os.geteuid() and os.path.samestat(status, os.lstat(folder)):
            return fd
    except OSError:
        pass
    os.close(fd)
    return None


def _empty_and_remove(folder: str, fd: int) -> None:
    """The stage holds only files. What resists stays for the next run."""
    with contextlib.suppress(OSError):
        for name in os.listdir(fd):
            os.unlink(name, dir_fd=fd)
        os.rmdir(folder)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
