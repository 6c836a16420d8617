"""Folders of our own for what is only there while a run lives, and what dead runs left of them."""

from __future__ import annotations

import fcntl
import os
import re
import shlex
from contextlib import suppress

from diskwright.errors import OutputNotWritable

_TRIES = 8
_RANDOM_BYTES = 6
_DEEPEST = 2
_INNER = re.compile(rf"\..*\.diskwright-[0-9a-f]{{{2 * _RANDOM_BYTES}}}", re.DOTALL)


class OwnFolder:
    """`PREFIX-of-12-hex-digits` in a folder, mode 0700. It is locked while this lives: what a
    killed run left is not, and `sweep` removes it. It holds files, and folders of our own in which
    such a file is made in its turn.
    """

    def __init__(self, path: str, lock: int) -> None:
        self.path = path
        self._lock = lock

    @classmethod
    def make(cls, parent: str, prefix: str, *, shown: str) -> OwnFolder:
        """Raises OSError, and OutputNotWritable of `shown` where nothing can be locked there."""
        for _ in range(_TRIES):
            path = os.path.join(parent, prefix + os.urandom(_RANDOM_BYTES).hex())
            os.mkdir(path, 0o700)
            try:
                lock = try_lock(path)
            except OSError as error:
                os.rmdir(path)
                raise OutputNotWritable(
                    shown,
                    f"a folder in {parent} can't be locked: {error.strerror}",
                    "write to a local file system, and copy it from there",
                ) from error
            if lock is not None:
                return cls(path, lock)
            # the sweep of another run was faster than our lock
            with suppress(FileNotFoundError):
                os.rmdir(path)
        raise OutputNotWritable(shown, f"other runs are in the way in {parent}")

    def remove(self) -> None:
        """With all that is in it; may be called more than once. Raises OutputNotWritable."""
        if self._lock >= 0:
            lock, self._lock = self._lock, -1
            try:
                _empty_and_remove(self.path, lock)
            finally:
                os.close(lock)


def sweep(parent: str, prefix: str) -> None:
    """Remove the folders of dead runs; those of live runs and of other users stay."""
    ours = re.compile(re.escape(prefix) + f"[0-9a-f]{{{2 * _RANDOM_BYTES}}}")
    try:
        with os.scandir(parent) as entries:
            left = [
                entry.path
                for entry in entries
                if ours.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False)
            ]
    except PermissionError:
        return  # a folder may be written and not listed; what lies there stays
    for path in left:
        with suppress(PermissionError):  # another user's
            lock = try_lock(path)
            if lock is not None:
                OwnFolder(path, lock).remove()


def try_lock(folder: str) -> int | None:
    """A descriptor that holds the lock of our own `folder`; None where another has or had it.

    Raises OSError where nothing can be locked there.
    """
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


def _empty_and_remove(folder: str, fd: int) -> None:
    """Another run's sweep may be at it too."""
    try:
        _empty(fd, _DEEPEST)
        with suppress(FileNotFoundError):
            os.rmdir(folder)
    except OSError as error:
        reason = f"what was staged there can't be removed: {error.strerror}"
        raise OutputNotWritable(folder, reason, f"rm -r -- {shlex.quote(folder)}") from error


def _empty(fd: int, deepest: int) -> None:
    """Also of folders of our own, `deepest` in each other; no link is followed."""
    for name in os.listdir(fd):
        with suppress(FileNotFoundError):
            if deepest and _INNER.fullmatch(name):
                _remove_inner(name, fd, deepest - 1)
            else:
                os.unlink(name, dir_fd=fd)


def _remove_inner(name: str, above: int, deepest: int) -> None:
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    fd = os.open(name, flags, dir_fd=above)
    try:
        _empty(fd, deepest)
    finally:
        os.close(fd)
    os.rmdir(name, dir_fd=above)
