"""What an image rests on stays: `uses/<base image>/<image id>.json`, put before its manifest.

Of plain images the manifests tell; of sealed ones a collector without the keys could not know.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from diskwright.errors import DiskwrightError
from diskwright.model import canonical, codec
from diskwright.model.library import Status
from diskwright.model.manifest import DiskBase
from diskwright.ops.library.place import Place, check_state, reread, seen

USES = "uses/"


@dataclass(frozen=True, slots=True)
class ImageUse:
    """That the image `image` rests on the one that the key names. A storage that learns no names
    learns none here."""

    image: str
    time: str
    v: int = 1


def use_key(base: str, image: str) -> str:
    return f"{USES}{base}/{image}.json"


@contextmanager
def resting(place: Place, image: str, bases: Sequence[DiskBase]) -> Iterator[None]:
    """While `image` is committed, and after that; where that fails the marks are taken back."""
    keys = [use_key(base, image) for base in sorted({one.image for one in bases})]
    try:
        for key in keys:
            place.store.put(key, canonical.encode(codec.encode(ImageUse(image, place.time()))))
        yield
    except BaseException as error:
        for key in keys:
            try:
                place.store.delete(key)
            except DiskwrightError as left:
                error.add_note(f"{key} was left behind ({left})")
        raise


def check_bases(place: Place, bases: Sequence[DiskBase]) -> None:
    """To be called when the marks are there: who deletes an image looks for them afterwards.

    Raises IllegalState for a base that is in the trash, ImageNotFound for one that is gone.
    """
    for base in sorted({one.image for one in bases}):
        check_state(seen(place, reread(place, base)), Status.ACTIVE, "a base")
