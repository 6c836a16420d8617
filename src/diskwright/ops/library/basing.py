"""The disks that a new image is going to rest on, open while it is made."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from diskwright.errors import UsageError
from diskwright.model.library import Status
from diskwright.ops.judging import DeltaBase
from diskwright.ops.library.deltas import base_of, layers, room_on
from diskwright.ops.library.place import (
    Place,
    check_state,
    check_undamaged,
    find_entry,
    seen,
    to_change,
)
from diskwright.ops.library.source import found_of
from diskwright.ops.opening import reading
from diskwright.ops.stored_file import RestoreTools, base_opener, local_disk
from diskwright.ports import CancelToken, Progress


@contextmanager
def open_bases(
    place: Place, wanted: str, *, tools: RestoreTools, progress: Progress, cancel: CancelToken
) -> Iterator[tuple[DeltaBase, ...]]:
    """Of each disk of the image `wanted`, or where that is the last delta that may be, of one that
    it rests on itself. `tools` read this library.

    Raises ImageNotFound, ImageAmbiguous, ReadOnlyImage for another's, IllegalState for one that is
    damaged or in the trash, KeyMissing, UsageError for a plain one where the new one is going to be
    sealed.
    """
    known = find_entry(place.catalog, wanted, place.store.url)
    chain = to_change(place, known.id, parts=True)
    entry = seen(place, chain)
    check_state(entry, Status.ACTIVE, "a base")
    check_undamaged(known, "a base")
    if (place.wrapper is not None) != entry.sealed:
        form, other = ("sealed", "plain") if entry.sealed else ("plain", "sealed")
        raise UsageError(
            f"--base: image {entry.id} is {form}, the new one would be {other}",
            "a sealed image rests on a sealed one of the same --key, a plain one on a plain one",
        )
    with ExitStack() as stack:
        made = []
        for one in found_of(chain).each():
            lower = room_on(layers(one, base_opener(one, tools)))
            disk = stack.enter_context(local_disk(lower, tools, progress, cancel))
            reader = stack.enter_context(reading(disk, tools.local.exporter))
            made.append(DeltaBase(base_of(lower[0]), reader))
        yield tuple(made)
