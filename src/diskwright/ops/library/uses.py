"""Who stands on an image's data: `uses/<image id>/<server id>.json` (docs/layout.md)."""

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

    Who deletes an image asks before, and once more when its record is put; who removes its data
    asks too.
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


def check_unused(store: ObjectStore, image_id: str) -> None:
    """Raises ImageInUse."""
    uses = uses_of(store, image_id)
    if uses:
        told = [_words(use) for use in uses[:_TOLD]]
        more = [f"{len(uses) - _TOLD} more"] if len(uses) > _TOLD else []
        raise ImageInUse(f"image {image_id}", ", ".join([*told, *more]))


def _words(use: Use) -> str:
    at = f" on {use.host} ({use.who})" if use.host else ""
    return printable(f"server {use.name or use.server}{at}")


def _read(store: ObjectStore, key: str, server: str) -> Use | None:
    """None where it was taken back meanwhile."""
    try:
        use = codec.decode(Use, canonical.decode(store.get(key, 0, _LIMIT)))
    except ObjectMissing:
        return None
    except (canonical.NotCanonical, codec.DecodeError):
        return Use(server, "", "", "", "")
    return use if use.server == server else Use(server, "", "", "", "")
