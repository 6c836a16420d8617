"""The libraries that this workstation knows by name: a JSON file of its owner.

{"v": 1, "libraries": [{"name": …, "url": …, "account": …, "default": …}, …]}
"""

from __future__ import annotations

import os
from collections.abc import Callable

from diskwright._values import Struct, replace
from diskwright.blockio.own_list import change_list, read_list
from diskwright.errors import TargetExists, UsageError
from diskwright.model.library import KnownLibrary


class _List(Struct, frozen=True):
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
        return read_list(self._path, _List(()), what="libraries").libraries

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
        change_list(self._path, lambda: _List(made(self.known())))


def _demoted(known: tuple[KnownLibrary, ...]) -> tuple[KnownLibrary, ...]:
    return tuple(replace(it, default=False) for it in known)


def _check_known(known: tuple[KnownLibrary, ...], name: str) -> None:
    if all(it.name != name for it in known):
        raise UsageError(f"no library is known as {name}", "see which are: diskwright library list")
