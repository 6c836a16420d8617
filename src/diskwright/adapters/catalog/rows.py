"""An entry as the columns of its row and as JSON, and back.

`model.codec.decode` asks the type of every field, which takes 20 times as long: too long for
100,000 entries. What is read here was written by `codec.encode`, in a file of ours.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from diskwright._values import field_names
from diskwright.errors import CatalogDamaged
from diskwright.model import codec
from diskwright.model.library import (
    Change,
    Entry,
    EntryDisk,
    ImageKind,
    Listed,
    Member,
    MemberState,
    Status,
    Visibility,
)
from diskwright.model.recipient import Recipient

_Made = TypeVar("_Made")

GONE = frozenset({Status.PENDING_DELETE, Status.DELETED})
INT_LIMIT = (1 << 63) - 1  # SQLite's

# Each field's empty value, which is not written, but for these: what identifies an entry, and the
# dictionaries, which no two entries may share
_NONE = Entry("", None, Status.ACTIVE, ImageKind.DATA, "", "", 0, "")
_EMPTY = {name: getattr(_NONE, name) for name in field_names(Entry)}
_ALWAYS = {"id", "name", "status", "kind", "created", "updated", "seq", "head", "tags", "tools"}

# Of a field that JSON has otherwise, how its value is made of that
_STATUSES: dict[str, Status] = {it.value: it for it in Status}
_KINDS: dict[str | None, ImageKind | None] = {None: None, **{it.value: it for it in ImageKind}}
_MADE: dict[str, Callable[[Any], object]] = {
    "status": _STATUSES.__getitem__,
    "kind": _KINDS.__getitem__,
    "visibility": Visibility,
    "recipients": lambda found: tuple(Recipient(**it) for it in found),
    "disks": lambda found: tuple(EntryDisk(**it) for it in found),
    "members": lambda found: tuple(
        Member(it["account"], it["name"], MemberState(it["state"])) for it in found
    ),
    "failed": tuple,
    "received": MemberState,
    "warnings": tuple,
}

# GLOB ends at a NUL, and SQLite has no lone surrogates (argv has some, where it is no UTF-8).
# A noncharacter of Unicode stands for both where text is compared.
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def text(value: str) -> str:
    """`value` as columns hold it and as they are compared with."""
    return _UNSTORABLE.sub("\uffff", value)


def folded(value: str) -> str:
    """For whatever its case."""
    return text(value.casefold())


def _sortable(value: str) -> str:
    """SQLite orders text as its UTF-8 bytes, so by code points."""
    return _unicode(value.casefold())


def _unicode(value: str) -> str:
    return value.encode(errors="replace").decode()


def one_line(value: str) -> str:
    return value.replace("\n", "\uffff")


def columns(entry: Entry) -> dict[str, str | int | None]:
    return {
        "id": text(entry.id),
        "gone": int(entry.status in GONE),
        "status": entry.status.value,
        "kind": "" if entry.kind is None else entry.kind.value,
        "visibility": entry.visibility.value,
        "name": None if entry.name is None else text(entry.name),
        "name_key": None if entry.name is None else _sortable(entry.name),
        "created": text(entry.created),
        "updated": text(entry.updated),
        "size": min(entry.object_size, INT_LIMIT),
        "virtual_size": min(entry.virtual_size, INT_LIMIT),
        "os_key": _sortable(entry.os),
        "os_text": f"{one_line(folded(entry.os))}\n{one_line(folded(entry.os_type))}",
        "min_memory": min(entry.min_memory_mib, INT_LIMIT),
        "max_memory": min(entry.max_memory_mib, INT_LIMIT),
        "channel": text(entry.channel),
        "seq": entry.seq,
        "head": text(entry.head),
    }


def change(it: Change) -> tuple[int | str, ...]:
    told = it.time, it.kind, it.who, it.what, it.digest
    return it.seq, *(_unicode(part) for part in told)


def body(entry: Entry) -> str:
    """What is as an empty entry has it is left out: half of what there is to read."""
    told = {}
    for name, empty in _EMPTY.items():
        value = getattr(entry, name)
        if value != empty or name in _ALWAYS:
            told[name] = codec.encode(value)
    return json.dumps(told, separators=(",", ":"))


def line(entry: Entry) -> str:
    """`Listed` as JSON: of all texts and numbers, which columns have not."""
    it = Listed(*(getattr(entry, name) for name in Listed._fields))
    return json.dumps(it, separators=(",", ":"))


def line_of(body: str) -> str:
    """The same of what `body` wrote. Of a damaged one it is null, and told when that is read."""
    try:
        return line(_entry(json.loads(body)))
    except (ValueError, TypeError, KeyError, AttributeError):
        return "null"


def listed_of(lines: Sequence[str], path: str) -> list[Listed]:
    """Raises CatalogDamaged, of the catalog at `path`, for what `line` never wrote."""
    return _decoded(lines, _listed, path)


def entries_of(bodies: Sequence[str], path: str) -> list[Entry]:
    """Raises CatalogDamaged, of the catalog at `path`, for what `body` never wrote."""
    return _decoded(bodies, _entry, path)


def _decoded(texts: Sequence[str], made: Callable[[Any], _Made], path: str) -> list[_Made]:
    try:
        # As one text, since the parser takes its time to begin and knows the keys again
        values = json.loads(f"[{','.join(texts)}]")
        if len(values) != len(texts):
            raise ValueError(f"{len(values)} values of {len(texts)} texts")
        return [made(value) for value in values]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise CatalogDamaged(path, f"what it holds is no entry: {error!r}") from error


def _listed(value: list[Any]) -> Listed:
    name, image, status, os, kind, created, sizes, size, sealed = value
    status, kind = _STATUSES[status], _KINDS[kind]
    return Listed(name, image, status, os, kind, created, tuple(sizes), size, sealed)


def _entry(value: dict[str, Any]) -> Entry:
    if not value.keys() >= _ALWAYS:
        raise KeyError(*sorted(_ALWAYS - value.keys()))
    for name, make in _MADE.items():
        if name in value:
            value[name] = make(value[name])
    # A field that a later version added has its default
    every = _EMPTY | value
    if len(every) != len(_EMPTY):
        raise TypeError(f"unknown: {sorted(value.keys() - _EMPTY)}")
    return Entry(**every)
