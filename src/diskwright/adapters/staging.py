"""A local output that takes its name only when it is whole.

For outputs that need a path while they are made: of qemu-img, or read back before they appear.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from contextlib import suppress
from types import TracebackType

from diskwright.blockio.placing import check_target, move_if_absent, sync_published
from diskwright.errors import Cancelled, OutputNotWritable, TargetExists, writing

_TRIES = 8


class BesideTarget:
    """A file in a folder of its own, `.NAME.diskwright-XXXX` beside the target, mode 0700.

    The folder is locked while this lives: what a killed run left is not, and the next run with
    the same target removes it. Raises TargetExists, DiskFull and OutputNotWritable.
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
        with writing(self._target):
            self._sweep()
            self._make_stage()
            try:
                os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            except OSError:
                self._remove()
                raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._remove()
        except OutputNotWritable as left:
            if isinstance(error, Cancelled):
                error.left = f"but {left.path} was left behind"
            elif error is None:
                raise
            else:
                error.add_note(left.message)

    def _make_stage(self) -> None:
        for _ in range(_TRIES):
            stage = os.path.join(self._folder, self._prefix + secrets.token_hex(6))
            os.mkdir(stage, 0o700)
            try:
                lock = _locked(stage)
            except OSError as error:
                os.rmdir(stage)
                raise OutputNotWritable(
                    self._target,
                    f"a folder beside it can't be locked: {error.strerror}",
                    "write to a local file system, and copy it from there",
                ) from error
            if lock is not None:
                self._stage, self._lock = stage, lock
                return
            # the sweep of another run was faster than our lock
            with suppress(FileNotFoundError):
                os.rmdir(stage)
        raise OutputNotWritable(self._target, "other runs with the same target are in the way")

    def _remove(self) -> None:
        if self._lock >= 0:
            lock, self._lock = self._lock, -1
            try:
                _empty_and_remove(self._stage, lock)
            finally:
                os.close(lock)

    def _sweep(self) -> None:
        try:
            with os.scandir(self._folder) as entries:
                left = [
                    entry.path
                    for entry in entries
                    if entry.name.startswith(self._prefix)
                    and len(entry.name) == len(self._prefix) + 12
                    and entry.is_dir(follow_symlinks=False)
                ]
        except PermissionError:
            return  # a folder may be written and not listed; what lies there stays
        for path in left:
            with suppress(PermissionError):  # another user's
                lock = _locked(path)
                if lock is not None:
                    try:
                        _empty_and_remove(path, lock)
                    finally:
                        os.close(lock)

    def commit(self) -> None:
        """Raises TargetExists where someone took the name meanwhile (unless forced)."""
        check_target(self._target, force=self._force)
        with writing(self._target):
            fd = os.open(self.path, os.O_RDONLY)
            try:
                os.fchmod(fd, 0o666 & ~_umask())
                os.fsync(fd)
                self._publish()
                self._remove()
                sync_published(self._target, fd)
            finally:
                os.close(fd)

    def _publish(self) -> None:
        try:
            if self._force:
                os.replace(self.path, self._target)
            else:
                move_if_absent(self.path, self._target)
        except FileExistsError:
            raise TargetExists(self._target) from None


def _locked(folder: str) -> int | None:
    """A descriptor that holds the lock of our own `folder`; None where another has or had it."""
    try:
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    kept = False
    try:
        status = os.fstat(fd)
        if status.st_uid == os.geteuid():
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # who had the lock before may have removed it
            kept = os.path.samestat(status, os.lstat(folder))
    except (BlockingIOError, FileNotFoundError):
        return None
    finally:
        if not kept:
            os.close(fd)
    return fd if kept else None


def _empty_and_remove(stage: str, fd: int) -> None:
    """The stage holds only files; another run's sweep may be at it too."""
    try:
        for name in os.listdir(fd):
            with suppress(FileNotFoundError):
                os.unlink(name, dir_fd=fd)
        with suppress(FileNotFoundError):
            os.rmdir(stage)
    except OSError as error:
        reason = f"what was staged there can't be removed: {error.strerror}"
        raise OutputNotWritable(stage, reason, f"rm -r -- {stage}") from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
