"""iso inspect and iso list: what is said by an ISO, and what lies in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from diskwright.errors import ImageUnsupported, UsageError
from diskwright.formats.detect import decide, detect
from diskwright.formats.identity import check_identity, open_image
from diskwright.model.image import FileIdentity, ImageFormat
from diskwright.model.iso import (
    InspectedIso,
    IsoEntry,
    IsoFacts,
    IsoSystem,
    IsoTree,
    ListedIso,
)


class IsoReader(Protocol):
    """Reads an open file in a confined child."""

    def facts(self, fd: int, identity: FileIdentity) -> IsoFacts: ...
    def entries(self, fd: int, identity: FileIdentity, tree: IsoTree | None) -> ListedIso: ...


class MediaDatabase(Protocol):
    @property
    def date(self) -> str: ...
    def installs(self, facts: IsoFacts) -> IsoSystem | None:
        """The system that a medium with such identifiers installs; None where it is not known."""


@contextmanager
def opened_iso(path: str) -> Iterator[tuple[int, FileIdentity]]:
    """A read-only descriptor of an ISO, which is the same file in the same state at the end.

    Raises InputError, also for a file of another format, and SourceChanged.
    """
    fd, identity = open_image(path)
    try:
        found = decide(identity.path, identity.size, detect(fd, identity.size))
        if found is not ImageFormat.ISO:
            raise ImageUnsupported(
                identity.path,
                "not-an-iso",
                f"its format is {found.value}",
                hint_text="tell what it is: diskwright inspect IMAGE",
            )
        yield fd, identity
        check_identity(identity)
    finally:
        os.close(fd)


def inspect_iso(path: str, *, reader: IsoReader, database: MediaDatabase) -> InspectedIso:
    """Facts only; nothing is written. Raises InputError, ToolError, SourceChanged."""
    with opened_iso(path) as (fd, identity):
        facts = reader.facts(fd, identity)
    return InspectedIso(identity.path, facts, database.installs(facts), database.date)


def list_iso(
    path: str, *, reader: IsoReader, tree: IsoTree | None = None, below: str = ""
) -> ListedIso:
    """Entries in the order of their paths; with `below` that one and all in it.

    Raises UsageError where there is no such tree, or nothing called `below`.
    """
    with opened_iso(path) as (fd, identity):
        listed = reader.entries(fd, identity, tree)
    entries = chosen(listed, (below,) if below else ())
    return ListedIso(listed.path, listed.tree, tuple(sorted(entries, key=_order)))


def chosen(listed: ListedIso, paths: tuple[str, ...]) -> tuple[IsoEntry, ...]:
    """The entries that `paths` name, with all below them; all of them where there are no paths."""
    wanted = {normal(path): path for path in paths}
    if not wanted or "" in wanted:
        return listed.entries
    found: set[str] = set()
    entries = []
    for entry in listed.entries:
        names = {name for name in _above(entry.path) if name in wanted}
        if names:
            found |= names
            entries.append(entry)
    for name, given in wanted.items():
        if name not in found:
            raise UsageError(
                f"{listed.path}: its {listed.tree} tree has no {given!a}",
                "see what it has: diskwright iso list IMAGE",
            )
    return tuple(entries)


def normal(path: str) -> str:
    """`/a//b/` is `a/b`."""
    return "/".join(name for name in path.split("/") if name not in ("", "."))


def _above(path: str) -> Iterator[str]:
    """The path, and the directories that it lies in."""
    yield path
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def _order(entry: IsoEntry) -> list[str]:
    return entry.path.split("/")
