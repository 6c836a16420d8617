"""What an image rests on stays: `uses/<base image>/<image id>.json`, put before its manifest.

Of plain images the manifests tell; of sealed ones a collector without the keys could not know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from diskwright.errors import DiskwrightError
from diskwright.model.library import Status
from diskwright.model.manifest import DiskBase
from diskwright.model.server import Use
from diskwright.ops.cleanup import is_settled_as_gone
from diskwright.ops.library.place import Place, check_state, reread, seen
from diskwright.ops.library.uses import put_use, use_key


@contextmanager
def resting(place: Place, image: str, bases: Sequence[DiskBase]) -> Iterator[Callable[[], None]]:
    """Around all of a run, its clean-up too; what it gives is called before `image` is committed,
    and puts the marks. Where the run fails they are taken back once no manifest can be there.

    That raises IllegalState for a base that is in the trash, ImageNotFound for one that is gone.
    """
    found = sorted({one.image for one in bases})
    tried: list[str] = []

    def rest() -> None:
        use = Use(image, "", "", place.time(), "")  # a sealed image's name is not for the storage
        for base in found:
            tried.append(base)
            put_use(place.store, base, use)
        _check_bases(place, found)

    try:
        yield rest
    except BaseException as error:
        try:
            if tried and is_settled_as_gone(place.store, image):
                for base in tried:
                    place.store.delete(use_key(base, image))
        except DiskwrightError as left:
            error.add_note(f"{use_key(tried[0], image)} was left behind ({left})")
        raise


def _check_bases(place: Place, bases: Sequence[str]) -> None:
    """When the marks are there: who deletes an image looks for them afterwards."""
    for base in bases:
        check_state(seen(place, reread(place, base)), Status.ACTIVE, "a base")
