"""A name for an image: taken before it is used, given back after."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from diskwright.errors import DiskwrightError, NameTaken
from diskwright.model.library import Entry, Status, Visibility
from diskwright.model.names import manifest_key
from diskwright.model.text import printable
from diskwright.model.times import seconds_of
from diskwright.ops.library.chain import read_chain
from diskwright.ops.library.fold import entry_of
from diskwright.ops.library.names import OnlySeals
from diskwright.ops.library.place import Place

# For so long a claim is believed of an image whose manifest is not there: a large one is on its way
_UNDERWAY_S = 24 * 3600
_LIVE = (Status.QUEUED, Status.SAVING, Status.ACTIVE, Status.ERROR)


def take_name(place: Place, name: str, image: str, *, sealed: bool, duplicate: bool) -> bool:
    """Whether the claim is now this image's. With `duplicate` a name in use is no error. Of what
    is sealed for a receiver's key no name is claimed: the catalog alone keeps them apart.

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
    except OnlySeals:
        return False
    return True


@contextmanager
def holding(place: Place, name: str, entry: Entry, *, duplicate: bool) -> Iterator[None]:
    """`name` is that of the image `entry` from here on; where what is done with it fails, it is
    given back, but where the image has it all the same: its record was put, and what came after
    failed. Raises NameTaken, ChangedMeanwhile."""
    taken = take_name(place, name, entry.id, sealed=entry.sealed, duplicate=duplicate)
    try:
        yield
    except BaseException as error:
        if taken:
            _give_back_unused(place, name, entry, error)
        raise


def _give_back_unused(place: Place, name: str, entry: Entry, error: BaseException) -> None:
    """What went wrong before is what is told."""
    try:
        chain = read_chain(place.store, entry.id, place.wrapper)
        now = None if chain is None else entry_of(chain)
        if now is None or now.name != name or now.status not in _LIVE:
            give_back(place, name, entry.id, sealed=entry.sealed)
    except DiskwrightError as left:
        error.add_note(f"its name is taken for a day ({left})")


def check_free(place: Place, name: str, image: str = "") -> None:
    """By the catalog: raises NameTaken where another image that is no rubbish has the name.

    Of two that are queued here neither has taken it yet: who came later yields, not both.
    """
    for one in _named(place, name):
        if one.id != image and not (one.status is Status.QUEUED and one.id > image > ""):
            raise NameTaken(printable(name), one.id)


def give_back(place: Place, name: str, image: str, *, sealed: bool) -> None:
    with suppress(OnlySeals):  # none was taken
        place.names(sealed=sealed).release(name, image, place.now())


def _named(place: Place, name: str) -> list[Entry]:
    """Others' that are shared with us do not count."""
    return [
        one
        for one in place.catalog.matching(name)
        if one.name == name and one.status in _LIVE and one.visibility is not Visibility.SHARED
    ]


class _Holds:
    """Whether an older claim still counts: by the library itself, as what the catalog knows may be
    older than the claim."""

    def __init__(self, place: Place, name: str) -> None:
        self._place, self._name = place, name

    def __call__(self, image: str, time: str) -> bool:
        place = self._place
        claimed = seconds_of(time)
        underway = place.now() - claimed < _UNDERWAY_S
        chain = read_chain(place.store, image, place.wrapper)
        if chain is None and place.store.head(manifest_key(image)) is None:
            return underway
        if chain is None:  # given up; or it came just now
            chain = read_chain(place.store, image, place.wrapper)
        if chain is None:
            return False
        entry = entry_of(chain)
        if entry.opened and entry.name != self._name:
            return underway  # its new name may be on its way
        return entry.status in _LIVE
