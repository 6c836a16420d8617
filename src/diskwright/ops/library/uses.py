"""Who stands on an image's data: `uses/<image id>/<server or image id>.json` (docs/layout.md).

A server's disk is an overlay over it; another image may be what differs from it. Whoever makes one
puts the use first, and then looks whether the image is still active; gc marks the image first, and
then looks for uses. So of the two at once one sees the other.
"""

from __future__ import annotations

from diskwright.errors import ImageInUse, ObjectMissing
from diskwright.model import canonical, codec
from diskwright.model.names import is_uuid
from diskwright.model.server import Use
from diskwright.model.text import printable
from diskwright.ports import ObjectStore

USES = "uses/"
_LIMIT = 16 << 10
_TOLD = 5


def use_key(image_id: str, server_id: str) -> str:
    return f"{USES}{image_id}/{server_id}.json"


def put_use(store: ObjectStore, image_id: str, use: Use) -> None:
    """To be followed by a look at the image's state: who deletes it looks here afterwards."""
    store.put(use_key(image_id, use.server), canonical.encode(codec.encode(use)))


def uses_of(store: ObjectStore, image_id: str) -> tuple[Use, ...]:
    """All of them. Of one that can't be read only the server's id is known: it counts all the same.

    Who deletes an image asks before; who removes its data asks once more when that is marked.
    """
    found = []
    prefix = f"{USES}{image_id}/"
    for info in store.list(prefix):
        server = info.key.removeprefix(prefix).removesuffix(".json")
        if is_uuid(server):
            use = _read(store, info.key, server)
            if use is not None:
                found.append(use)
    return tuple(found)


def users(store: ObjectStore, image_id: str) -> tuple[str, ...]:
    """Ids of servers and images, as they are named: no use is read."""
    prefix = f"{USES}{image_id}/"
    found = (info.key.removeprefix(prefix) for info in store.list(prefix))
    return tuple(name.removesuffix(".json") for name in found)


def all_uses(store: ObjectStore) -> dict[str, list[str]]:
    """Keys of all uses, by the server or image that stands on another."""
    found: dict[str, list[str]] = {}
    for info in store.list(USES):
        user = info.key.rsplit("/", 1)[-1].removesuffix(".json")
        found.setdefault(user, []).append(info.key)
    return found


def used_image(key: str) -> str:
    """Whose data a use is of, by its key."""
    return key.removeprefix(USES).partition("/")[0]


def own_uses(store: ObjectStore, image_id: str) -> list[str]:
    """Keys of what says that an image itself stands on others."""
    return all_uses(store).get(image_id, [])


def check_unused(store: ObjectStore, image_id: str) -> None:
    """Raises ImageInUse."""
    if not users(store, image_id):
        return
    told = tuple(_words(use) for use in uses_of(store, image_id))
    raise ImageInUse(f"image {image_id}", said(told or users(store, image_id)))


def said(found: tuple[str, ...]) -> str:
    more = f" and {len(found) - _TOLD} more" if len(found) > _TOLD else ""
    return ", ".join(found[:_TOLD]) + more


def _words(use: Use) -> str:
    at = f" on {use.host} ({use.who})" if use.host else ""
    return printable(f"{use.name or use.server}{at}")


def read_use(store: ObjectStore, key: str) -> Use | None:
    """None where it is gone; of one that can't be read only the server's id is known."""
    return _read(store, key, key.rsplit("/", 1)[-1].removesuffix(".json"))


def _read(store: ObjectStore, key: str, server: str) -> Use | None:
    """None where it was taken back meanwhile."""
    try:
        use = codec.decode(Use, canonical.decode(store.get(key, 0, _LIMIT)))
    except ObjectMissing:
        return None
    except (canonical.NotCanonical, codec.DecodeError):
        return Use(server, "", "", "", "")
    return use if use.server == server else Use(server, "", "", "", "")
