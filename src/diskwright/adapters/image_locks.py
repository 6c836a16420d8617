"""One process of this workstation at an image: `<folder>/<image id>.lock`, held by flock."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from diskwright.errors import Locked, writing
from diskwright.model.names import is_uuid

_TRIES = 100


class FileImageLocks:
    """`ports_library.ImageLocks`. `folder` is made when it is first needed, for its owner alone.

    A lock ends with its process, however that ends. Its file is removed by who holds it, so
    whoever gets the lock of a file that has lost its name meanwhile begins anew: the name's file is
    the one that counts, and one process at a time holds that.
    """

    def __init__(self, folder: str) -> None:
        self._folder = os.path.abspath(folder)

    @contextmanager
    def held(self, image_id: str) -> Iterator[None]:
        """Raises Locked at once where another has it, a thread of this process too."""
        if not is_uuid(image_id):
            raise ValueError(f"not an image id: {image_id!r}")
        path = os.path.join(self._folder, f"{image_id}.lock")
        with writing(path):
            os.makedirs(self._folder, mode=0o700, exist_ok=True)
            fd = _locked(path)
        if fd is None:
            raise Locked(f"image {image_id}")
        try:
            yield
        finally:
            with suppress(OSError):  # what was done is done; a file that stays does no harm
                os.unlink(path)
            os.close(fd)


def _locked(path: str) -> int | None:
    """None where another has it. Raises OSError."""
    for _ in range(_TRIES):
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(fd), os.lstat(path)):
                return fd
        except BlockingIOError:
            os.close(fd)
            return None
        except FileNotFoundError:
            pass
        except BaseException:
            os.close(fd)
            raise
        os.close(fd)  # who had it removed its file between our opening and our lock
    return None  # others have it in turn
