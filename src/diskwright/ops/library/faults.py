"""What checks have found wrong with images' data, as a catalog remembers it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from diskwright._values import replace
from diskwright.model.library import Entry, Query, Status
from diskwright.ports_library import Catalog

_FAULTS = "faults "  # note, by image id


def faults_of(catalog: Catalog, image: str) -> list[str]:
    """What the last check has found wrong with its data."""
    found: list[str] = json.loads(catalog.note(f"{_FAULTS}{image}") or "[]")
    return found


def set_faults(catalog: Catalog, image: str, found: Sequence[str]) -> None:
    if found or catalog.note(f"{_FAULTS}{image}"):
        catalog.set_note(f"{_FAULTS}{image}", json.dumps(found))


def told_of(catalog: Catalog) -> Iterator[str]:
    """What does not hold together of all images, in words: whenever it was found."""
    for entry in catalog.query(Query(statuses=tuple(Status))):
        warnings = entry.warnings
        if entry.status is Status.ERROR and not warnings:
            warnings = ("it is damaged",)
        yield from (f"image {entry.id}: {warning}" for warning in warnings)


def remembered(catalog: Catalog, entry: Entry) -> Entry:
    """What a check has found wrong with the data is not mended by a change of something else, nor
    by a time in the trash."""
    if entry.status is not Status.ACTIVE:
        return entry
    found = faults_of(catalog, entry.id)
    known = catalog.entry(entry.id)
    if known is not None and known.status is Status.ERROR:
        found += known.warnings
    elif not found:
        return entry
    warnings = dict.fromkeys((*entry.warnings, *found))
    return replace(entry, status=Status.ERROR, warnings=tuple(warnings))
