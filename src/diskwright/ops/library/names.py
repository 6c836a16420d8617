"""Whose a name is: claims, numbered and put only if absent as records are (docs/decisions/0007).

A claim lies under a digest of the name. Of sealed images that is an HMAC under a key which only
their recipients can unwrap: the storage learns no names.
"""

from __future__ import annotations

import hashlib
import hmac
import uuid
from collections.abc import Callable, Iterator
from typing import TypeVar

from diskwright._values import Struct
from diskwright.envelope import keys, receiver
from diskwright.envelope.keys import KEY_SIZE
from diskwright.envelope.recipients import recipient_of
from diskwright.errors import (
    ChangedMeanwhile,
    DataTampered,
    NameTaken,
    ObjectMissing,
    TargetExists,
)
from diskwright.model import canonical, codec
from diskwright.model.names import is_uuid
from diskwright.model.recipient import Recipient
from diskwright.model.stored import WrappedKey
from diskwright.model.text import printable
from diskwright.model.times import is_time, time_text
from diskwright.ops.library.chain import newest_number
from diskwright.ports import KeyWrapper, ObjectStore

T = TypeVar("T")

NAMES = "names/"
INFO = b"diskwright names v1"
_LIMIT = 4096  # bytes of a claim, or of a wrapped key


class Claim(Struct, frozen=True):
    """`image` is empty where the name was given back."""

    image: str
    time: str
    v: int = 1

    def __post_init__(self) -> None:
        if not is_time(self.time) or (self.image and not is_uuid(self.image)):
            raise ValueError("it names no image, or no time")


class OnlySeals(Exception):
    """Anybody can seal for this key: whose a name is can't be told with it."""


class _NameKey(Struct, frozen=True):
    id: str  # what the wrapped key is bound to
    recipient: Recipient
    v: int = 1


# Whether a claim of that image for that name still holds: (image id, claim's time) -> bool
Holds = Callable[[str, str], bool]


class Names(Struct, frozen=True):
    """`wrapper` None: of import-ready images, by a plain digest."""

    store: ObjectStore
    wrapper: KeyWrapper | None
    entropy: Callable[[int], bytes]
    single_writer: bool = False  # nobody else writes: for a store that keeps no conditions

    def take(self, name: str, image_id: str, holds: Holds, now: float) -> None:
        """Raises NameTaken where another image has it, ChangedMeanwhile where one has just won,
        OnlySeals."""
        folder = self._folder(name)
        seq, claim = self._newest(folder)
        if claim is not None and claim.image == image_id:
            return
        if claim is not None and claim.image and holds(claim.image, claim.time):
            raise NameTaken(printable(name), claim.image)
        self._put(folder, seq + 1, Claim(image_id, time_text(int(now))), name)

    def release(self, name: str, image_id: str, now: float) -> None:
        """No error where it is another's, or its claim is none: `check` tells of that."""
        folder = self._folder(name)
        try:
            seq, claim = self._newest(folder)
        except DataTampered:
            return
        if claim is not None and claim.image == image_id:
            try:
                self._put(folder, seq + 1, Claim("", time_text(int(now))), name)
            except ChangedMeanwhile:
                return  # somebody took it over already

    def _put(self, folder: str, seq: int, claim: Claim, name: str) -> None:
        key = f"{folder}{seq:08d}.json"
        try:
            data = canonical.encode(codec.encode(claim))
            self.store.put(key, data, if_absent=not self.single_writer)
        except TargetExists as error:
            _, other = self._newest(folder)
            if other == claim:
                return  # our own, whose answer was lost
            by = f"image {other.image} has it" if other and other.image else "it was given back"
            raise ChangedMeanwhile(f"the name {printable(name)}", by) from error

    def _newest(self, folder: str) -> tuple[int, Claim | None]:
        newest = newest_number(self.store, folder)
        if not newest:
            return 0, None
        return newest, _read(self.store, f"{folder}{newest:08d}.json", Claim)

    def _folder(self, name: str) -> str:
        data = name.encode()
        if self.wrapper is None:
            return f"{NAMES}{hashlib.sha256(data).hexdigest()}/"
        secret = _secret(self, self.wrapper)
        key = keys.derive(secret, INFO)  # whatever it was wrapped for, it is used for this alone
        return f"{NAMES}{hmac.new(key, data, hashlib.sha256).hexdigest()}/"


def superseded(store: ObjectStore, before: float) -> Iterator[str]:
    """Keys of claims that others followed, the newest of which was made `before` then. The newest
    one stays, a name given back too: it holds the number that the next has to exceed, and whoever
    read an older one just now must find their number taken."""
    folders: dict[str, list[str]] = {}
    for info in store.list(NAMES):
        folder, _, name = info.key.rpartition("/")
        if len(name) == len("00000001.json") and folder != f"{NAMES}keys":
            folders.setdefault(folder, []).append(info.key)
    oldest = time_text(int(before))
    for claims in folders.values():
        *older, newest = sorted(claims)
        if older and _is_older(store, newest, oldest):
            yield from older


def _is_older(store: ObjectStore, key: str, than: str) -> bool:
    """False of a claim that can't be read: `unreadable_claims`."""
    try:
        claim = _read(store, key, Claim)
    except DataTampered:
        return False
    return claim is not None and claim.time < than


def unreadable_claims(store: ObjectStore) -> Iterator[tuple[str, str]]:
    """Newest claims that are none: nobody can take these names. Keys, and why."""
    newest: dict[str, str] = {}
    for info in store.list(NAMES):
        folder = info.key.rpartition("/")[0]
        if folder != f"{NAMES}keys":
            newest[folder] = max(newest.get(folder, ""), info.key)
    for key in newest.values():
        try:
            _read(store, key, Claim)
        except DataTampered as error:
            yield key, error.detail


def _context(name_key: str) -> bytes:
    """What a wrapped secret is bound to: no image's data key is (`context_bytes`)."""
    return canonical.encode({"dw": "1", "names": name_key})


def _secret(names: Names, wrapper: KeyWrapper) -> bytes:
    """Made by whoever first needs it, one for each key-encryption key. Raises OnlySeals for a
    receiver's key: whoever has its public half could put a secret of their own there."""
    secret, own = names.entropy(KEY_SIZE), str(uuid.UUID(bytes=names.entropy(16), version=4))
    wrapped = wrapper.wrap(secret, _context(own))
    if wrapped.provider == receiver.PROVIDER:
        raise OnlySeals
    owner = f"{wrapped.provider}:{wrapped.key_id}".encode()
    key = f"{NAMES}keys/{hashlib.sha256(owner).hexdigest()}.json"
    found = _read(names.store, key, _NameKey)
    if found is None:
        document = canonical.encode(codec.encode(_NameKey(own, recipient_of(wrapped))))
        try:
            names.store.put(key, document, if_absent=not names.single_writer)
        except TargetExists:
            found = _read(names.store, key, _NameKey)
        else:
            return secret
    if found is None:
        raise DataTampered(key, "it was there a moment ago")
    one = found.recipient
    there = WrappedKey(one.provider, one.key_id, one.wrapped_key, one.params)
    return wrapper.unwrap(there, _context(found.id))


def _read(store: ObjectStore, key: str, kind: type[T]) -> T | None:
    try:
        data = store.get(key, 0, _LIMIT + 1)
    except ObjectMissing:
        return None
    try:
        return codec.decode(kind, canonical.decode(data[: _LIMIT + 1]))
    except (canonical.NotCanonical, codec.DecodeError) as error:
        raise DataTampered(key, f"it can't be read ({error})") from error
