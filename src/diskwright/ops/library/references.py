"""Which data the manifests of a library name: their own objects, and what these rest on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

from diskwright._values import Struct, field
from diskwright.blockio.copy import ordered_map
from diskwright.errors import DataTampered
from diskwright.model import canonical
from diskwright.model.names import manifest_key
from diskwright.ops.library.chain import read_chain
from diskwright.ops.library.place import Place
from diskwright.ops.manifests import committed, manifest_bytes, manifest_of
from diskwright.ports import CancelToken

DATA = "images/"
_READERS = 8


class References(Struct):
    """`keys` of data that are named; `needed_by`: of an image, others that name data of it.
    `known`: images whose manifests were read. `unread`: one that can't be, if any."""

    keys: set[str] = field(default_factory=set)
    needed_by: dict[str, set[str]] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)
    unread: str = ""

    def add(self, named: _Named) -> None:
        self.known.add(named.image)
        self.keys |= named.keys
        for key in named.keys:
            image = key.split("/")[1]
            if image != named.image:
                self.needed_by.setdefault(image, set()).add(named.image)
        if named.unread:
            self.unread = manifest_key(named.image)

    def why_needed(self, image: str) -> str:
        """Why its data has to stay, whatever becomes of `image` itself; else empty."""
        if others := self.needed_by.get(image):
            return f"image {min(others)} rests on it"
        if self.unread:
            return f"{self.unread} can't be read, and may rest on it"
        return ""


class _Named(Struct, frozen=True):
    image: str
    keys: frozenset[str] = frozenset()
    unread: bool = False


def read_references(place: Place, cancel: CancelToken) -> References:
    """Of all manifests that are there when this begins."""

    def look(image: str) -> _Named:
        cancel.check()
        return _named(place, image)

    made = References()
    images = list(committed(place.store))
    with closing(ordered_map(images, look, threads=_READERS, ahead=2 * _READERS)) as found:
        for named in found:
            made.add(named)
    return made


def _named(place: Place, image: str) -> _Named:
    """Whatever looks like data's key is taken for one: of a later version's manifests too. What a
    sealed image rests on is told by a use (docs/decisions/0009), as its manifest hides it; and by
    that where it can be opened here."""
    try:
        data = manifest_bytes(place.store, image)
        value = None if data is None else canonical.decode(data)
    except (canonical.NotCanonical, DataTampered):
        return _Named(image, unread=True)
    keys = frozenset(_keys(value))
    try:
        manifest = None if data is None else manifest_of(data, image)
        if manifest is not None and manifest.sealed and place.wrapper is not None:
            keys |= _opened(place, image)
    except DataTampered:
        return _Named(image, keys, unread=True)
    return _Named(image, keys)


def _opened(place: Place, image: str) -> frozenset[str]:
    """What the disks of a sealed image rest on. Empty where the key does not open it."""
    chain = read_chain(place.store, image, place.wrapper)
    disks = () if chain is None or chain.body is None else chain.body.disks
    return frozenset(disk.base.key for disk in disks if disk.base is not None)


def _keys(value: object) -> Iterator[str]:
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, str):
            if one.startswith(DATA):
                yield one
        elif isinstance(one, dict):
            left += one.values()
        elif isinstance(one, list | tuple):
            left += one
