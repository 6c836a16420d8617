"""A small list of its owner's in a JSON file: whole at every moment, and no change is lost.

A change is read, made and written under the lock of the file's folder, and appears by rename: who
reads needs no lock and sees the list before or after it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol, TypeVar

from diskwright.blockio.placing import locked_folder, sync_folder
from diskwright.errors import InputUnreadable, writing
from diskwright.model import codec

_LIMIT = 1 << 20  # bytes


class _List(Protocol):
    @property
    def v(self) -> int: ...


T = TypeVar("T", bound=_List)


def read_list(path: str, empty: T, *, what: str) -> T:
    """`empty` where there is no file. Raises InputUnreadable for one that is none of ours."""
    try:
        with open(path, "rb") as file:
            data = file.read(_LIMIT + 1)
    except FileNotFoundError:
        return empty
    except OSError as error:
        raise InputUnreadable(path, error.strerror or str(error)) from error
    try:
        if len(data) > _LIMIT:
            raise ValueError(f"longer than {_LIMIT} bytes")
        found = codec.decode(type(empty), json.loads(data))
    except (ValueError, RecursionError) as error:
        raise InputUnreadable(path, f"no list of {what}: {error}") from error
    if found.v != 1:
        raise InputUnreadable(path, f"version {found.v}, of a newer diskwright")
    return found


def change_list(path: str, changed: Callable[[], object]) -> None:
    """What `changed` gives is written; it reads the list anew. The folder is made where it is not
    there. Raises OutputError; what `changed` raises leaves the list as it was."""
    folder = os.path.dirname(path)
    with writing(path):
        os.makedirs(folder, mode=0o700, exist_ok=True)
        with locked_folder(folder):
            _write(path, codec.encode(changed()))


def _write(path: str, value: object) -> None:
    """Raises OSError; then nothing is left beside the file. The folder's lock is held, so what a
    killed run left under the temporary name is nobody's.
    """
    folder, name = os.path.split(path)
    temporary = os.path.join(folder, f".{name}.new")
    with suppress(FileNotFoundError):
        os.unlink(temporary)
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with open(fd, "w", encoding="ascii") as file:
            json.dump(value, file, indent=2)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        os.rename(temporary, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    sync_folder(folder)
