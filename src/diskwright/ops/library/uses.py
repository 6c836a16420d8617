"""Who stands on an image's data: `uses/<image id>/<server id>.json`, put by `server create`.

A server puts its use first and then looks whether the image is still active; gc marks the image
first and then looks for uses. So of the two at once one sees the other.
"""

from __future__ import annotations

from diskwright.errors import ImageInUse
from diskwright.ops.library.place import Place

USES = "uses/"
_LISTED = 20


def users(place: Place, image: str) -> tuple[str, ...]:
    """Ids of the servers."""
    prefix = f"{USES}{image}/"
    found = (info.key.removeprefix(prefix) for info in place.store.list(prefix))
    return tuple(name.removesuffix(".json") for name in found)


def check_unused(place: Place, image: str) -> None:
    """Raises ImageInUse."""
    if found := users(place, image):
        raise ImageInUse(f"image {image}", said(found))


def said(found: tuple[str, ...]) -> str:
    more = f" and {len(found) - _LISTED} more" if len(found) > _LISTED else ""
    return ", ".join(f"server {name}" for name in found[:_LISTED]) + more
