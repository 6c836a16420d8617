"""The contracts of the library, beside `ports`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from diskwright.model.library import Change, Entry, KnownLibrary, Query


class Catalog(Protocol):
    """The index of one library on this workstation. The truth is in the library: whoever loses
    the catalog loses nothing. Several processes use one at once.
    """

    def entry(self, image_id: str) -> Entry | None: ...
    def matching(self, wanted: str) -> tuple[Entry, ...]:
        """By id; else by name; else by a prefix of the id, of 4 characters at least. Deleted ones
        (in the trash too) are matched by id and prefix alone. At most 21 are told."""

    def query(self, query: Query) -> Iterator[Entry]:
        """Sorted, ties by id; `descending` turns both, but who has no name comes last. `size` is
        the stored one. What is in the trash or deleted is told only where `statuses` names that.
        One moment's state, whatever is saved meanwhile. Raises ValueError for an unknown `sort`."""

    def count(self, query: Query) -> int: ...  # without `limit` and `offset`
    def save(self, entry: Entry, history: Sequence[Change]) -> None:
        """The whole of an image as the library has it, in one transaction. Raises IllegalState for
        a step of its status that there is none of; where `seq` grew others may have taken more."""

    def forget(self, image_id: str) -> None: ...  # it is not in the library any more
    def history(self, image_id: str) -> tuple[Change, ...]: ...
    def heads(self) -> dict[str, tuple[int, str]]:
        """Of each image its newest record's number and SHA-256 (`Entry.seq`, `.head`)."""

    def tag_values(self) -> dict[str, tuple[str, ...]]: ...  # for completion
    def note(self, name: str) -> str | None: ...  # what a sync remembers
    def set_note(self, name: str, value: str) -> None: ...
    def clear(self) -> None: ...
    def close(self) -> None: ...


class LibraryRegistry(Protocol):
    """The libraries that this workstation knows by name."""

    def known(self) -> tuple[KnownLibrary, ...]: ...
    def add(self, library: KnownLibrary) -> None: ...  # raises TargetExists for a name in use
    def remove(self, name: str) -> None: ...
    def set_default(self, name: str) -> None: ...


class ImageLocks(Protocol):
    def held(self, image_id: str) -> AbstractContextManager[None]:
        """Raises Locked while another process of this workstation has that image."""
