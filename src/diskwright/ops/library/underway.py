"""A new image of a library while it is made: locked, queued, its name taken, saving."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from diskwright._values import replace
from diskwright.errors import DiskwrightError
from diskwright.model.library import Entry, Status
from diskwright.ops.cleanup import is_settled_as_gone
from diskwright.ops.library.claims import give_back, take_name
from diskwright.ops.library.place import Place


@contextmanager
def underway(place: Place, entry: Entry, *, duplicate: bool) -> Iterator[None]:
    """`entry` is what is known before the image is there. Its name is taken before the context is
    entered; where that or the making fails, catalog and name are as before. The image may be there
    all the same, if the store did not answer: then it keeps its name, and a sync finds it.

    Raises NameTaken, ChangedMeanwhile, Locked.
    """
    image, name = entry.id, entry.name or ""
    with place.locks.held(image):
        place.catalog.save(replace(entry, status=Status.QUEUED), ())
        taken = False
        try:
            taken = take_name(place, name, image, sealed=entry.sealed, duplicate=duplicate)
            place.catalog.save(replace(entry, status=Status.SAVING), ())
            yield
        except BaseException as error:
            place.catalog.forget(image)
            if taken:
                _give_back(place, name, image, entry.sealed, error)
            raise


def _give_back(place: Place, name: str, image: str, sealed: bool, error: BaseException) -> None:
    """What went wrong before is what is told."""
    try:
        if is_settled_as_gone(place.store, image):
            give_back(place, name, image, sealed=sealed)
    except DiskwrightError as left:
        error.add_note(f"its name is taken for a day ({left})")
