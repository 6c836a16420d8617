"""A local output that takes its name only when it is whole.

For outputs that need a path while they are made: of qemu-img, or read back before they appear.
"""

from __future__ import annotations

import os
from types import TracebackType

from diskwright.blockio.own_folder import OwnFolder, sweep
from diskwright.blockio.placing import check_target, move_if_absent, sync_published
from diskwright.errors import Cancelled, OutputNotWritable, TargetExists, writing


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
        self._stage: OwnFolder | None = None

    @property
    def path(self) -> str:
        assert self._stage is not None
        return os.path.join(self._stage.path, self._name)

    def __enter__(self) -> BesideTarget:
        check_target(self._target, force=self._force)
        with writing(self._target):
            sweep(self._folder, self._prefix)
            self._stage = OwnFolder.make(self._folder, self._prefix, shown=self._target)
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

    def _remove(self) -> None:
        if self._stage is not None:
            self._stage.remove()

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


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
