"""A local output that takes its name only when it is whole.

For outputs that need a path while they are made: of qemu-img, or read back before they appear.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from types import TracebackType

from diskwright.errors import OutputNotWritable, TargetExists


class BesideTarget:
    """An empty file `.NAME.diskwright-XXXX` in the target's folder, mode 0600 until it is whole."""

    def __init__(self, target: str, *, force: bool) -> None:
        self._target = os.path.abspath(target)
        self._force = force
        folder, name = os.path.split(self._target)
        self._folder = folder
        self._path = os.path.join(folder, f".{name[:100]}.diskwright-{secrets.token_hex(6)}")
        self._placed = False

    @property
    def path(self) -> str:
        return self._path

    def __enter__(self) -> BesideTarget:
        if not self._force and os.path.lexists(self._target):
            raise TargetExists(self._target)
        if os.path.isdir(self._target):
            raise OutputNotWritable(self._target, "it is a folder")
        try:
            os.close(os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except OSError as error:
            raise OutputNotWritable(self._target, error.strerror or str(error)) from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self._placed:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._path)

    def commit(self) -> None:
        """Raises TargetExists where someone took the name meanwhile (unless forced)."""
        fd = os.open(self._path, os.O_RDONLY)
        try:
            os.fchmod(fd, 0o666 & ~_umask())
            os.fsync(fd)
        finally:
            os.close(fd)
        try:
            if self._force:
                os.replace(self._path, self._target)
            else:
                os.link(self._path, self._target)
                os.unlink(self._path)
        except FileExistsError:
            raise TargetExists(self._target) from None
        except OSError as error:
            raise OutputNotWritable(self._target, error.strerror or str(error)) from error
        self._placed = True
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
