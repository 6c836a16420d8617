"""prove: an image is restored into nothing, found whole, and a record says so."""

from __future__ import annotations

import os

from diskwright.errors import DataTampered
from diskwright.model.library import Entry, Status
from diskwright.model.record import Proven
from diskwright.ops.images import Found
from diskwright.ops.library.chain import Chain
from diskwright.ops.library.place import Place, append, check_state, seen, to_change
from diskwright.ops.stored_file import RestoreTools, fetch, verify
from diskwright.ports import CancelToken, Progress

HOW = "restored"


def plan(place: Place, wanted: str) -> Chain:
    """Raises IllegalState for one that is not active, and what `to_change` raises."""
    chain = to_change(place, wanted, parts=True)
    check_state(seen(place, chain), Status.ACTIVE, "proven")
    return chain


def run(
    place: Place,
    planned: Chain,
    *,
    tools: RestoreTools,
    progress: Progress,
    cancel: CancelToken,
) -> Entry:
    """Every disk becomes a file, one after the other, is read as a disk, and removed.

    Raises DataTampered for what is not what it was made of, and ChangedMeanwhile.
    """
    image = planned.manifest.image
    assert planned.body is not None
    found = Found(planned.manifest, planned.body, planned.data_key)
    for one in found.each():
        with tools.local.scratch() as folder:
            path = os.path.join(folder, "disk")
            fetch(one, path, True, tools, progress, cancel)
            verify(one, path, tools, progress, cancel)
    # Others may have changed what is said of it meanwhile, but never its data
    now = plan(place, image)
    if now.manifest.objects != planned.manifest.objects:
        raise DataTampered(f"image {image}", "its manifest is another than it was a moment ago")
    return seen(place, append(place, now, Proven(place.who, HOW)))
