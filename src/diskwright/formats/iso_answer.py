"""What passes between the confined reader of an ISO and its parent."""

from __future__ import annotations

from dataclasses import dataclass

from diskwright.model.iso import IsoEntry, IsoFacts, IsoTree

FUNCTION = "diskwright.formats.iso_child:main"
FACTS, ENTRIES = "facts", "entries"  # what is asked for
MAX_ANSWER = 64 << 20  # every entry of a tree at its limit, with paths of 200 bytes


@dataclass(frozen=True, slots=True)
class Refused:
    """An ImageRefused or InputError, by its kind, without the path."""

    kind: str
    code: str
    detail: str
    offset: int | None = None


@dataclass(frozen=True, slots=True)
class IsoAnswer:
    """One of: facts, entries of a tree, or why there is neither."""

    facts: IsoFacts | None = None
    tree: IsoTree | None = None
    trees: tuple[IsoTree, ...] = ()
    entries: tuple[IsoEntry, ...] = ()
    refused: Refused | None = None
