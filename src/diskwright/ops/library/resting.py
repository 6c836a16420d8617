"""What an image rests on stays: `uses/<base image>/<image id>.json`, put before its manifest.

Of plain images the manifests tell; of sealed ones a collector without the keys could not know.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from diskwright.errors import DiskwrightError
from diskwright.model.library import Status
from diskwright.model.manifest import DiskBase
from diskwright.model.server import Use
from diskwright.ops.library.place import Place, check_state, reread, seen
from diskwright.ops.library.uses import put_use, use_key


@contextmanager
def resting(place: Place, image: str, bases: Sequence[DiskBase]) -> Iterator[None]:
    """While `image` is committed, and after that; where that fails the marks are taken back."""
    found = sorted({one.image for one in bases})
    use = Use(image, "", "", place.time(), "")  # a sealed image's name is not for the storage
    try:
        for base in found:
            put_use(place.store, base, use)
        yield
    except BaseException as error:
        for base in found:
            try:
                place.store.delete(use_key(base, image))
            except DiskwrightError as left:
                error.add_note(f"{use_key(base, image)} was left behind ({left})")
        raise


def check_bases(place: Place, bases: Sequence[DiskBase]) -> None:
    """To be called when the marks are there: who deletes an image looks for them afterwards.

    Raises IllegalState for a base that is in the trash, ImageNotFound for one that is gone.
    """
    for base in sorted({one.image for one in bases}):
        check_state(seen(place, reread(place, base)), Status.ACTIVE, "a base")
