"""What passes between the confined reader of an ISO and its parent.

    {"answer": the fields of IsoAnswer, "entries": [[path, kind, size, …], …]}

An entry is a list and not an object: there may be 65,536 of them.
"""

from __future__ import annotations

import json

from diskwright._values import Struct
from diskwright.model.canonical import MAX_INTEGER
from diskwright.model.codec import DecodeError, decode, encode
from diskwright.model.iso import IsoEntry, IsoExtent, IsoFacts, IsoKind, IsoTree

FUNCTION = "diskwright.formats.iso.child:main"
FACTS, ENTRIES = "facts", "entries"  # what is asked for


class Refused(Struct, frozen=True):
    """An ImageRefused, by its kind and without the path."""

    kind: str
    code: str
    detail: str
    offset: int | None = None


class IsoAnswer(Struct, frozen=True):
    """One of: facts, the name of the tree whose entries come with it, or why there is neither."""

    facts: IsoFacts | None = None
    tree: IsoTree | None = None
    trees: tuple[IsoTree, ...] = ()
    refused: Refused | None = None


class Told(Struct, frozen=True):
    """An answer and what came with it."""

    answer: IsoAnswer
    entries: tuple[IsoEntry, ...] = ()


def packed(told: Told) -> bytes:
    value = {"answer": encode(told.answer), "entries": list(map(_row, told.entries))}
    return json.dumps(value, separators=(",", ":")).encode()


def unpacked(document: bytes) -> Told:
    """From a child that is not trusted. Raises DecodeError."""
    try:
        value = json.loads(document)
    except (ValueError, RecursionError) as error:
        raise DecodeError(str(error)) from error
    if not isinstance(value, dict) or value.keys() != {"answer", "entries"}:
        raise DecodeError("not an answer")
    rows = value["entries"]
    if not isinstance(rows, list):
        raise DecodeError("entries: a list was expected")
    return Told(decode(IsoAnswer, value["answer"]), tuple(map(_entry, rows)))


def _row(entry: IsoEntry) -> list[object]:
    extents = [[extent.offset, extent.length] for extent in entry.extents]
    kind = entry.kind.value
    return [
        entry.path, kind, entry.size, entry.mode, entry.mtime, entry.target, extents, entry.note
    ]  # fmt: skip


def _entry(row: object) -> IsoEntry:
    if not isinstance(row, list) or len(row) != 8:
        raise DecodeError("an entry of another form")
    path, kind, size, mode, mtime, target, extents, note = row
    if not (
        isinstance(path, str)
        and isinstance(note, str)
        and (target is None or isinstance(target, str))
        and _is_number(size)
        and (mode is None or _is_number(mode))
        and (mtime is None or _is_number(mtime))
        and isinstance(extents, list)
    ):
        raise DecodeError("an entry with a value of another type")
    try:
        known = IsoKind(kind)
    except ValueError as error:
        raise DecodeError("an entry of an unknown kind") from error
    return IsoEntry(path, known, size, mode, mtime, target, tuple(map(_extent, extents)), note)


def _extent(pair: object) -> IsoExtent:
    if isinstance(pair, list) and len(pair) == 2:
        offset, length = pair
        if (offset is None or _is_number(offset)) and _is_number(length):
            return IsoExtent(offset, length)
    raise DecodeError("an extent of another form")


def _is_number(value: object) -> bool:
    return type(value) is int and 0 <= value <= MAX_INTEGER
