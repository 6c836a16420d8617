"""A small list of its owner's in a JSON file: whole at every moment, and no change is lost.

A change is read, made and written under the lock of the file's folder, and appears by rename: who
reads needs no lock and sees the list before or after it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Protocol, TypeVar

from diskwright.blockio.placing import locked_folder, replace_file
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
            text = json.dumps(codec.encode(changed()), indent=2)
            replace_file(path, f"{text}\n".encode("ascii"))
