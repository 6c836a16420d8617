"""The libraries that this workstation knows by name: a JSON file of its owner.

    {"v": 1, "libraries": [{"name": …, "url": …, "account": …, "default": …}, …]}

A change is read, made and written under the lock of the file's folder, and appears by rename: who
reads needs no lock and sees the list before or after it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from diskwright.blockio.placing import locked_folder, sync_folder
from diskwright.errors import InputUnreadable, TargetExists, UsageError, writing
from diskwright.model import codec
from diskwright.model.library import KnownLibrary

_LIMIT = 1 << 20  # bytes; a library takes some 200


@dataclass(frozen=True, slots=True)
class _List:
    libraries: tuple[KnownLibrary, ...]
    v: int = 1


class FileLibraryRegistry:
    """`ports_library.LibraryRegistry`. The file and its folder are made at the first `add`.

    At most one library is the default: who becomes it takes it from the one before. Raises
    InputUnreadable for a file that is none of ours.
    """

    def __init__(self, path: str) -> None:
        self._path = os.path.abspath(path)

    def known(self) -> tuple[KnownLibrary, ...]:
        """In the order in which they were added."""
        try:
            with open(self._path, "rb") as file:
                data = file.read(_LIMIT + 1)
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise InputUnreadable(self._path, error.strerror or str(error)) from error
        try:
            if len(data) > _LIMIT:
                raise ValueError(f"longer than {_LIMIT} bytes")
            found = codec.decode(_List, json.loads(data))
        except (ValueError, RecursionError) as error:
            raise InputUnreadable(self._path, f"no list of libraries: {error}") from error
        if found.v != 1:
            raise InputUnreadable(self._path, f"version {found.v}, of a newer diskwright")
        return found.libraries

    def add(self, library: KnownLibrary) -> None:
        def added(known: tuple[KnownLibrary, ...]) -> tuple[KnownLibrary, ...]:
            if any(it.name == library.name for it in known):
                raise TargetExists(f"the library {library.name}", "choose another name")
            return (*(_demoted(known) if library.default else known), library)

        self._change(added)

    def remove(self, name: str) -> None:
        """Raises UsageError for a name that is not known."""

        def removed(known: tuple[KnownLibrary, ...]) -> tuple[KnownLibrary, ...]:
            _check_known(known, name)
            return tuple(it for it in known if it.name != name)

        self._change(removed)

    def set_default(self, name: str) -> None:
        """Raises UsageError for a name that is not known."""

        def changed(known: tuple[KnownLibrary, ...]) -> tuple[KnownLibrary, ...]:
            _check_known(known, name)
            return tuple(replace(it, default=it.name == name) for it in known)

        self._change(changed)

    def _change(self, made: Callable[[tuple[KnownLibrary, ...]], tuple[KnownLibrary, ...]]) -> None:
        folder = os.path.dirname(self._path)
        with writing(self._path):
            os.makedirs(folder, mode=0o700, exist_ok=True)
            with locked_folder(folder):
                _write(self._path, codec.encode(_List(made(self.known()))))


def _demoted(known: tuple[KnownLibrary, ...]) -> tuple[KnownLibrary, ...]:
    return tuple(replace(it, default=False) for it in known)


def _check_known(known: tuple[KnownLibrary, ...], name: str) -> None:
    if all(it.name != name for it in known):
        raise UsageError(f"no library is known as {name}", "see which are: diskwright library list")


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
