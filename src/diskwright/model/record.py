"""What changes in the life of an image: append-only records beside its manifest (docs/layout.md).

A record is canonical JSON `{v, image, seal, seq, prev, time, kind, body}`; `prev` is the SHA-256
of the record before, of the manifest at 1. Of a sealed image `body` is encrypted (base64), but for
recipients, whose record carries a `mac`.
"""

from __future__ import annotations

import hashlib
import re
from typing import TypeAlias, TypedDict

from diskwright._values import Struct, field
from diskwright.model import canonical, codec
from diskwright.model.names import is_uuid
from diskwright.model.recipient import Recipient
from diskwright.model.times import is_time

VERSION = 1
LIMIT_BYTES = 1 << 20  # no record is read past this
LAST = 99_999_999  # 8 digits
RECORDS = "records/"
_MAC = re.compile("[A-Za-z0-9+/]{43}=")  # base64 of 32 bytes


class Attributes(Struct, frozen=True):
    """What was set; None is left as it was. `reason` for what the guest's needs speak against."""

    who: str
    reason: str = ""
    name: str | None = None
    description: str | None = None
    min_memory_mib: int | None = None
    max_memory_mib: int | None = None
    nic_multiqueue: bool | None = None
    sriov: bool | None = None
    channel: str | None = None


class Wishes(TypedDict, total=False):
    """What can be set of an image, as of `Attributes`."""

    reason: str
    name: str | None
    description: str | None
    min_memory_mib: int | None
    max_memory_mib: int | None
    nic_multiqueue: bool | None
    sriov: bool | None
    channel: str | None


class Tags(Struct, frozen=True):
    who: str
    put: dict[str, str] = field(default_factory=dict)
    removed: tuple[str, ...] = ()


class Recipients(Struct, frozen=True):
    """All who can unwrap the data key from here on."""

    recipients: tuple[Recipient, ...]


class Sharing(Struct, frozen=True):
    """`account` is the id of a public key; it is offered the image, or that is taken back."""

    who: str
    account: str
    name: str
    offered: bool


class Deleted(Struct, frozen=True):
    """Into the trash, or (`deleted` false) out of it."""

    who: str
    deleted: bool
    reason: str = ""


class Replicated(Struct, frozen=True):
    """`to` is the id of the image that was made, `library` where it lies."""

    who: str
    to: str
    library: str


class Proven(Struct, frozen=True):
    """It was restored or booted, and found whole."""

    who: str
    how: str


Body: TypeAlias = Attributes | Tags | Recipients | Sharing | Deleted | Replicated | Proven

KINDS: dict[str, type[Body]] = {
    "attributes": Attributes,
    "tags": Tags,
    "recipients": Recipients,
    "sharing": Sharing,
    "deleted": Deleted,
    "replicated": Replicated,
    "proven": Proven,
}


class Record(Struct, frozen=True):
    """`body` is a string where it is encrypted; only recipients of a sealed image have a `mac`."""

    image: str
    seal: str | None
    seq: int
    prev: str
    time: str
    kind: str
    body: dict[str, object] | str
    mac: str | None = None


class NotARecord(ValueError):
    """The bytes are no record of a version that is read here."""


def record_key(image_id: str, seq: int) -> str:
    return f"{RECORDS}{image_id}/{seq:08d}.json"


def records_prefix(image_id: str) -> str:
    return f"{RECORDS}{image_id}/"


def kind_of(body: Body) -> str:
    return next(kind for kind, cls in KINDS.items() if isinstance(body, cls))


def encoded_body(body: Body) -> dict[str, object]:
    """What was not given of attributes is left out, so that a record says what was set."""
    document: dict[str, object] = codec.encode(body)
    if isinstance(body, Attributes):
        return {name: value for name, value in document.items() if value is not None}
    return document


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def encode(record: Record) -> bytes:
    return canonical.encode(_document(record))


def without_mac(record: Record) -> bytes:
    """What a recipients record's MAC is of."""
    document = _document(record)
    document.pop("mac", None)
    return canonical.encode(document)


def without_body(record: Record) -> bytes:
    """What an encrypted body is bound to."""
    document = _document(record)
    del document["body"]
    return canonical.encode(document)


def _document(record: Record) -> dict[str, object]:
    document: dict[str, object] = {
        "v": VERSION,
        "image": record.image,
        "seal": record.seal,
        "seq": record.seq,
        "prev": record.prev,
        "time": record.time,
        "kind": record.kind,
        "body": record.body,
    }
    if record.mac is not None:
        document["mac"] = record.mac
    return document


def decode(data: bytes) -> Record:
    """Raises NotARecord. What `kind` makes of `body` is for `body_of`."""
    try:
        value = canonical.decode(data)
    except canonical.NotCanonical as error:
        raise NotARecord(str(error)) from error
    if not isinstance(value, dict) or value.get("v") != VERSION:
        version = value.get("v") if isinstance(value, dict) else None
        raise NotARecord(f"version {version!r} is not read here")
    body = value.get("body")
    if not isinstance(body, dict | str):
        raise NotARecord("its body is neither an object nor a string")
    rest = {key: item for key, item in value.items() if key not in {"v", "body"}}
    try:
        frame = codec.decode(_Frame, rest)
    except codec.DecodeError as error:
        raise NotARecord(str(error)) from error
    if not 1 <= frame.seq <= LAST:
        raise NotARecord(f"its number is {frame.seq}")
    if not is_time(frame.time):
        raise NotARecord("its time is none")
    if frame.mac is not None and _MAC.fullmatch(frame.mac) is None:
        raise NotARecord("its MAC is none")
    own: dict[str, object] | str = body if isinstance(body, str) else dict(body)
    return Record(
        frame.image, frame.seal, frame.seq, frame.prev, frame.time, frame.kind, own, frame.mac
    )


class _Frame(Struct, frozen=True):
    image: str
    seal: str | None
    seq: int
    prev: str
    time: str
    kind: str
    mac: str | None = None


def body_of(kind: str, body: object) -> Body | None:
    """The body in clear, None for a kind that is not known here. Raises NotARecord."""
    cls = KINDS.get(kind)
    if cls is None:
        return None
    try:
        made = codec.decode(cls, body)
    except codec.DecodeError as error:
        raise NotARecord(str(error)) from error
    if isinstance(made, Replicated) and not is_uuid(made.to):
        raise NotARecord("it names what is no image")
    return made
