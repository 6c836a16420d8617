"""A name for an image: taken before it is used, given back after."""

from __future__ import annotations

from datetime import datetime

from diskwright.errors import NameTaken
from diskwright.model.library import Entry, Status, Visibility
from diskwright.model.names import manifest_key
from diskwright.model.text import printable
from diskwright.ops.library.place import Place
from diskwright.ops.manifests import read_manifest

# For so long a claim is believed of an image whose manifest is not there: a large one is on its way
_UNDERWAY_S = 24 * 3600
_LIVE = (Status.QUEUED, Status.SAVING, Status.ACTIVE, Status.ERROR)


def take_name(place: Place, name: str, image: str, *, sealed: bool, duplicate: bool) -> bool:
    """Whether the claim is now this image's. With `duplicate` a name in use is no error.

    Raises NameTaken, ChangedMeanwhile.
    """
    if duplicate:
        if any(one.id != image for one in _named(place, name)):
            return False
    else:
        check_free(place, name, image)
    try:
        place.names(sealed=sealed).take(name, image, _Holds(place, name), place.now())
    except NameTaken:
        if not duplicate:
            raise
        return False
    return True


def check_free(place: Place, name: str, image: str = "") -> None:
    """By the catalog: raises NameTaken where another image that is no rubbish has the name."""
    for one in _named(place, name):
        if one.id != image:
            raise NameTaken(printable(name), one.id)


def give_back(place: Place, name: str, image: str, *, sealed: bool) -> None:
    place.names(sealed=sealed).release(name, image, place.now())


def _named(place: Place, name: str) -> list[Entry]:
    """Others' that are shared with us do not count."""
    return [
        one
        for one in place.catalog.matching(name)
        if one.name == name and one.status in _LIVE and one.visibility is not Visibility.SHARED
    ]


class _Holds:
    """Whether an older claim still counts."""

    def __init__(self, place: Place, name: str) -> None:
        self._place, self._name = place, name

    def __call__(self, image: str, time: str) -> bool:
        entry = self._place.catalog.entry(image)
        if entry is not None and entry.opened:
            return entry.status in _LIVE and entry.name == self._name
        if self._place.store.head(manifest_key(image)) is None:
            claimed = datetime.fromisoformat(time).timestamp()
            return self._place.now() - claimed < _UNDERWAY_S
        return read_manifest(self._place.store, image) is not None
