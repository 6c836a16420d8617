"""The contracts of the library, beside `ports`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from diskwright.model.library import Change, Entry, KnownLibrary, Listed, Query
    from diskwright.model.server import Server


class Catalog(Protocol):
    """The index of one library on this workstation. The truth is in the library: whoever loses
    the catalog loses nothing. Several processes use one at once.
    """

    def entry(self, image_id: str) -> Entry | None: ...
    def matching(self, wanted: str) -> tuple[Entry, ...]:
        """By id; else by name; else by a prefix of the id, of 4 characters at least. Deleted ones
        (in the trash too) are matched by id and prefix alone. What others offer and was not
        accepted is matched only where nothing else is. At most 21 are told, our own names first."""

    def query(self, query: Query) -> Iterator[Entry]:
        """Sorted, ties by id; `descending` turns both, but who has no name comes last. `size` is
        the stored one. What is in the trash or deleted is told only where `statuses` names that.
        One moment's state, whatever is saved meanwhile. Raises ValueError for an unknown `sort`."""

    def listed(self, query: Query) -> Iterator[Listed]:
        """As `query`, several times as fast."""

    def count(self, query: Query) -> int: ...  # without `limit` and `offset`
    def save(self, entry: Entry, history: Sequence[Change]) -> None:
        """The whole of an image as the library has it, in one transaction. Raises IllegalState for
        a step of its status that there is none of; where `seq` grew others may have taken more."""

    def forget(self, image_id: str) -> None: ...  # it is not in the library any more
    def history(self, image_id: str) -> tuple[Change, ...]: ...
    def heads(self) -> dict[str, tuple[int, str]]:
        """Of each image its newest record's number and SHA-256 (`Entry.seq`, `.head`)."""

    def tag_values(self) -> dict[str, tuple[str, ...]]: ...  # for completion
    def commit(self, image_id: str) -> str | None: ...  # what was kept (`model.commit`)
    def keep_commit(self, image_id: str, text: str) -> None: ...  # of an image that is there
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


class LocalObjects(Protocol):
    """The objects of a store that is a folder, as files."""

    def path_of(self, key: str) -> str: ...  # as it really lies; raises ObjectMissing
    def protect(self, key: str) -> None:
        """Nobody may write into it any more, as far as that is ours to say."""


class Servers(Protocol):
    """The servers and volumes of this workstation, a folder each. One is there once its
    description is; whoever makes, changes, runs or removes one holds the lock of its folder.
    """

    def all(self) -> tuple[Server, ...]: ...  # in the order of their making
    def begin(self, server: Server, *, numbered: bool) -> ServerWork:
        """A folder for it, locked, and a draft in it. A name in use gets a number with `numbered`,
        else TargetExists is raised."""

    def take(self, server_id: str) -> ServerWork:
        """Raises Locked, ServerNotFound."""

    def unfinished(self) -> Iterator[ServerWork]:
        """What killed runs left; each comes locked."""


class ServerWork(Protocol):
    """The lock of a server's folder."""

    @property
    def server(self) -> Server: ...  # the description, or the draft
    @property
    def folder(self) -> str: ...
    def publish(self, server: Server) -> Server:
        """It is there, so described, when this returns."""

    def unpublish(self) -> None:
        """It is not there any more: only its draft and its lock are."""

    def forget(self) -> None: ...  # the draft, the folder and the lock go
    def close(self) -> None: ...
