"""Images that are offered to an account, and what was said to it (docs/layout.md).

An offer points to an image; its records say whether it is shared. Both sides write these small
documents for each other, so what is read is bounded and strict.
"""

from __future__ import annotations

from typing import Protocol, TypeVar

from diskwright._values import Struct
from diskwright.model import canonical, codec
from diskwright.model.library import Entry, MemberState
from diskwright.model.names import is_uuid
from diskwright.model.times import is_time

LIMIT_BYTES = 4096  # of each document
SHARES = "shares/"
RECEIVED = "received/"
_ANSWER = ".answer.json"


class _Said(Protocol):
    @property
    def image(self) -> str: ...
    @property
    def time(self) -> str: ...
    @property
    def v(self) -> int: ...


T = TypeVar("T", bound=_Said)


class Offer(Struct, frozen=True):
    """`seq` and `time` are of the record that shares the image, so whoever puts the offer once more
    puts the same bytes. It tells no name: of a sealed image nobody else may learn it."""

    image: str
    library: str  # id of the library that it lies in
    owner: str  # who shared it
    time: str
    seq: int
    v: int = 1


class Answer(Struct, frozen=True):
    """What an account said to the offer of number `offer`, for the owner to see. It decides
    nothing."""

    image: str
    offer: int
    state: MemberState
    time: str
    who: str
    v: int = 1


class Received(Struct, frozen=True):
    """What we said to another's image, in our own library. `manifest` is the SHA-256 of the
    manifest that it was said to; `offer` the number of the offer."""

    image: str
    origin: str
    library: str
    offer: int
    manifest: str
    state: MemberState
    time: str
    who: str
    v: int = 1


class Account(Struct, frozen=True):
    """Somebody to share with: a receiver's public document under the name that we gave it."""

    name: str
    id: str
    label: str  # as they call themselves
    fingerprint: str
    public: str  # the document itself


class Given(Struct, frozen=True):
    """An image of ours and an account that it is shared with. `offered`: the offer lies there; if
    not, sharing was cut short and is to be repeated."""

    image: str
    name: str | None
    account: str
    account_name: str
    state: MemberState
    offered: bool


class Shares(Struct, frozen=True):
    """Images of ours that others may use, and others' that we may."""

    given: tuple[Given, ...]
    received: tuple[Entry, ...]


class NotASharing(ValueError):
    """The bytes are none of these documents, or of another image."""


def account_prefix(account: str) -> str:
    return f"{SHARES}{account}/"


def offer_key(account: str, image_id: str) -> str:
    return f"{account_prefix(account)}{image_id}.json"


def answer_key(account: str, image_id: str) -> str:
    return f"{account_prefix(account)}{image_id}{_ANSWER}"


def received_prefix(image_id: str) -> str:
    return f"{RECEIVED}{image_id}/"


def received_key(image_id: str, seq: int) -> str:
    return f"{received_prefix(image_id)}{seq:08d}.json"


def offered_image(account: str, key: str) -> str:
    """The image whose offer lies under `key`; empty where it is none."""
    image = key.removeprefix(account_prefix(account)).removesuffix(".json")
    return image if is_uuid(image) and key == offer_key(account, image) else ""


def encode(said: Offer | Answer | Received) -> bytes:
    return canonical.encode(codec.encode(said))


def decode(cls: type[T], data: bytes, image_id: str) -> T:
    """Raises NotASharing."""
    if len(data) > LIMIT_BYTES:
        raise NotASharing(f"it has over {LIMIT_BYTES} bytes")
    try:
        said = codec.decode(cls, canonical.decode(data))
    except ValueError as error:  # NotCanonical and DecodeError are ValueErrors
        raise NotASharing(str(error)) from error
    if said.v != 1:
        raise NotASharing(f"version {said.v} is not read here")
    if said.image != image_id:
        raise NotASharing("it is of another image")
    if not is_time(said.time):
        raise NotASharing("its time is none")
    return said
