"""The 16 KiB before the payload of a sealed disk (docs/sealed-format.md, "Header").

 0  magic, 8 bytes
 8  u32be length of J1 | J1: what never changes   (canonical JSON)
    u32be length of J2 | J2: the recipients       (canonical JSON)
    zeros
16352  HMAC-SHA256 of all bytes before it
"""

from __future__ import annotations

import hmac
import re
import struct
from collections.abc import Sequence

from diskwright._values import Struct
from diskwright.envelope import keys
from diskwright.errors import DataTampered, TooManyRecipients
from diskwright.model import canonical, codec, names
from diskwright.model.recipient import Recipient

MAGIC = b"DWSEAL\x01\n"
HEADER_SIZE = 16 << 10
MAC_SIZE = 32
VERSION = 1
CIPHER = "AES256_GCM_HKDF_1MB"  # Tink's name
INFO = b"diskwright header v1"

_LENGTH = struct.Struct(">I")
_J1_LARGEST = 320  # bytes, with the longest numbers and format
_MAC_AT = HEADER_SIZE - MAC_SIZE
_FORMAT = re.compile(r"[a-z0-9]{1,16}")


def context_bytes(seal_id: str) -> bytes:
    """What every wrapped key of this seal is bound to: at most 128 bytes, and never changes."""
    return canonical.encode(_context(seal_id))


def _context(seal_id: str) -> dict[str, str]:
    return {"dw": "1", "seal": seal_id}


class DiskSeal(Struct, frozen=True):
    """J1: what a sealed disk says of itself for good. `virtual_size` in bytes."""

    seal: str  # UUID, the same for all disks of an image
    disk: int  # index in the image, from 0
    format: str  # of the plaintext: raw, qcow2, …
    virtual_size: int

    def __post_init__(self) -> None:
        if not names.is_uuid(self.seal):
            raise ValueError("the seal id is no UUID in lower case")
        if _FORMAT.fullmatch(self.format) is None:
            raise ValueError("the format is no short name in lower case")
        if not all(0 <= n <= canonical.MAX_INTEGER for n in (self.disk, self.virtual_size)):
            raise ValueError("a number is out of range")

    def encode(self) -> bytes:
        return canonical.encode(codec.encode(self._stored()))

    def _stored(self) -> _Stored:
        return _Stored(
            CIPHER,
            _context(self.seal),
            self.disk,
            self.format,
            self.seal,
            VERSION,
            self.virtual_size,
        )

    @classmethod
    def decode(cls, data: bytes) -> DiskSeal:
        """Raises ValueError for anything but what `encode` gives."""
        stored = codec.decode(_Stored, canonical.decode(data))
        seal = cls(stored.seal, stored.disk, stored.format, stored.virtual_size)
        if stored != seal._stored():
            raise ValueError("version, cipher or context is not one that is read here")
        return seal


class _Stored(Struct, frozen=True):
    cipher: str
    context: dict[str, str]
    disk: int
    format: str
    seal: str
    v: int
    virtual_size: int


class Header(Struct, frozen=True):
    """A header as it was read. Nothing of it may be believed before `check_mac`."""

    j1: bytes  # as stored: the payload is bound to these bytes
    disk: DiskSeal
    recipients: tuple[Recipient, ...]


def is_sealed(start: bytes) -> bool:
    """Whether a file or object that begins so claims to be a sealed disk."""
    return start.startswith(MAGIC)


def encode(j1: bytes, wrapped_for: Sequence[Recipient], data_key: bytes) -> bytes:
    """Exactly `HEADER_SIZE` bytes. Raises TooManyRecipients where they do not fit."""
    if not wrapped_for:
        raise ValueError("a header without recipients can never be opened")
    j2 = canonical.encode([codec.encode(recipient) for recipient in wrapped_for])
    start = MAGIC + _LENGTH.pack(len(j1)) + j1 + _LENGTH.pack(len(j2)) + j2
    if len(start) > _MAC_AT:
        raise TooManyRecipients(len(wrapped_for), HEADER_SIZE)
    body = start.ljust(_MAC_AT, b"\0")
    return body + _mac(body, data_key)


def check_room(wrapped_for: Sequence[Recipient]) -> None:
    """Raises TooManyRecipients where a header, whatever its disk, would not hold them."""
    j2 = canonical.encode([codec.encode(recipient) for recipient in wrapped_for])
    if len(MAGIC) + 2 * _LENGTH.size + _J1_LARGEST + len(j2) > _MAC_AT:
        raise TooManyRecipients(len(wrapped_for), HEADER_SIZE)


def decode(data: bytes, *, what: str) -> Header:
    """The parts of a header, not yet authenticated. Raises DataTampered, which names `what`."""
    if len(data) < HEADER_SIZE:
        raise DataTampered(what, "it ends inside its header")
    if not is_sealed(data):
        raise DataTampered(what, "it does not begin as a sealed disk does")
    j1, at = _take(data, len(MAGIC), what)
    j2, at = _take(data, at, what)
    if any(data[at:_MAC_AT]):
        raise DataTampered(what, "its header has bytes where zeros belong")
    try:
        disk = DiskSeal.decode(j1)
        listed = canonical.decode(j2)
        if not isinstance(listed, list) or not listed:
            raise ValueError("recipients are no list")
        return Header(j1, disk, tuple(codec.decode(Recipient, item) for item in listed))
    except ValueError as error:  # NotCanonical and DecodeError are ValueErrors
        raise DataTampered(what, f"its header can't be read ({error})") from error


def check_mac(data: bytes, data_key: bytes, *, what: str) -> None:
    """Raises DataTampered unless the header's bytes were written by a holder of `data_key`."""
    if not hmac.compare_digest(_mac(data[:_MAC_AT], data_key), data[_MAC_AT:HEADER_SIZE]):
        raise DataTampered(what, "its header does not verify")


def _mac(body: bytes, data_key: bytes) -> bytes:
    return hmac.digest(keys.derive(data_key, INFO), body, "sha256")


def _take(data: bytes, at: int, what: str) -> tuple[bytes, int]:
    """One length-prefixed part at `at`, and where the next begins."""
    start = at + _LENGTH.size  # `at` is at most _MAC_AT: the four bytes are there
    (length,) = _LENGTH.unpack_from(data, at)
    if length > _MAC_AT - start:
        raise DataTampered(what, "a part of its header is longer than the header")
    return data[start : start + length], start + length
