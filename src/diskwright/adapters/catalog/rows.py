"""An entry as the columns of its row and as JSON, and back.

`model.codec.decode` asks the type of every field, which takes 20 times as long: too long for
100,000 entries. What is read here was written by `codec.encode`, in a file of ours.
"""

from __future__ import annotations

import json
import re
from typing import Any

from diskwright.errors import CatalogDamaged
from diskwright.model import codec
from diskwright.model.library import (
    Change,
    Entry,
    EntryDisk,
    ImageKind,
    Member,
    MemberState,
    Status,
    Visibility,
)
from diskwright.model.manifest import Recipient

GONE = frozenset({Status.PENDING_DELETE, Status.DELETED})
INT_LIMIT = (1 << 63) - 1  # SQLite's

# GLOB ends at a NUL, and SQLite has no lone surrogates (argv has some, where it is no UTF-8).
# A noncharacter of Unicode stands for both where text is compared.
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def text(value: str) -> str:
    """`value` as columns hold it and as they are compared with."""
    return _UNSTORABLE.sub("\uffff", value)


def folded(value: str) -> str:
    """For an order by code points, and for whatever its case."""
    return text(value.casefold())


def columns(entry: Entry) -> dict[str, str | int | None]:
    return {
        "id": text(entry.id),
        "gone": int(entry.status in GONE),
        "status": entry.status.value,
        "kind": entry.kind.value,
        "visibility": entry.visibility.value,
        "name": None if entry.name is None else text(entry.name),
        "name_key": None if entry.name is None else folded(entry.name),
        "created": text(entry.created),
        "updated": text(entry.updated),
        "size": min(entry.object_size, INT_LIMIT),
        "os_key": folded(entry.os),
        "os_type_key": folded(entry.os_type),
        "min_memory": min(entry.min_memory_mib, INT_LIMIT),
        "max_memory": min(entry.max_memory_mib, INT_LIMIT),
        "channel": text(entry.channel),
        "seq": entry.seq,
        "head": text(entry.head),
    }


def change(it: Change) -> tuple[int | str, ...]:
    told = it.time, it.kind, it.who, it.what, it.digest
    return it.seq, *(part.encode(errors="replace").decode() for part in told)


def body(entry: Entry) -> str:
    return json.dumps(codec.encode(entry), separators=(",", ":"))


def entry_of(stored: str, path: str) -> Entry:
    """Raises CatalogDamaged, of the catalog at `path`, for what `body` never wrote."""
    try:
        return _entry(json.loads(stored))
    except (ValueError, TypeError, KeyError) as error:
        raise CatalogDamaged(path, f"an entry in it is none: {error}") from error


def _entry(value: dict[str, Any]) -> Entry:
    """A field that a later version added has its default; one that we don't know is a TypeError."""
    value["status"] = Status(value["status"])
    value["kind"] = ImageKind(value["kind"])
    value["visibility"] = Visibility(value["visibility"])
    value["disks"] = tuple(EntryDisk(**disk) for disk in value["disks"])
    value["recipients"] = tuple(Recipient(**recipient) for recipient in value["recipients"])
    value["members"] = tuple(_member(member) for member in value["members"])
    value["failed"] = tuple(value["failed"])
    value["warnings"] = tuple(value["warnings"])
    received = value["received"]
    value["received"] = None if received is None else MemberState(received)
    return Entry(**value)


def _member(value: dict[str, Any]) -> Member:
    return Member(value["account"], value["name"], MemberState(value["state"]))
