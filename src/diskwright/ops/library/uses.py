"""Who stands on an image's data: `uses/<image id>/<server or image id>.json`.

A server's disk is an overlay over it; a sealed image may be what differs from it. Whoever makes one
puts the use first, and then looks whether the image is still active; gc marks the image first, and
then looks for uses. So of the two at once one sees the other.
"""

from __future__ import annotations

from diskwright.errors import ImageInUse
from diskwright.ops.library.place import Place

USES = "uses/"
_LISTED = 20


def users(place: Place, image: str) -> tuple[str, ...]:
    """Ids of servers and images."""
    prefix = f"{USES}{image}/"
    found = (info.key.removeprefix(prefix) for info in place.store.list(prefix))
    return tuple(name.removesuffix(".json") for name in found)


def own_uses(place: Place, image: str) -> list[str]:
    """Keys of what says that `image` itself stands on others."""
    end = f"/{image}.json"
    return [info.key for info in place.store.list(USES) if info.key.endswith(end)]


def check_unused(place: Place, image: str) -> None:
    """Raises ImageInUse."""
    if found := users(place, image):
        raise ImageInUse(f"image {image}", said(found))


def said(found: tuple[str, ...]) -> str:
    more = f" and {len(found) - _LISTED} more" if len(found) > _LISTED else ""
    return ", ".join(found[:_LISTED]) + more
