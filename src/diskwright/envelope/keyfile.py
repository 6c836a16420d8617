"""The document that holds a key-encryption key (docs/sealed-format.md, "kek.json")."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from diskwright.envelope import box
from diskwright.envelope.keys import KEY_SIZE
from diskwright.model import canonical, codec, names

FORMAT = "diskwright-kek"
VERSION = 1

_SALT_SIZE = 16
_SALT_SIZES = range(_SALT_SIZE, 65)
# 128 MiB and some 0.3 s for each guess. RFC 7914 section 2 says what n, r and p are.
_N, _R, _P = 1 << 17, 8, 1
_N_MAXIMUM = 1 << 20  # 1 GiB
_P_MAXIMUM = 4


class NotAKek(ValueError):
    """The bytes are no key document of a version that is read here."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What turns a passphrase into a key. It is bounded here, before anything is derived."""

    n: int
    p: int
    r: int
    salt: str

    def __post_init__(self) -> None:
        if self.n < 2 or self.n & (self.n - 1) or self.n > _N_MAXIMUM:
            raise ValueError(f"n is not a power of 2 up to {_N_MAXIMUM}")
        if self.r != _R or not 1 <= self.p <= _P_MAXIMUM:
            raise ValueError(f"r is not {_R}, or p is not from 1 to {_P_MAXIMUM}")
        if len(box.decode_base64(self.salt)) not in _SALT_SIZES:
            raise ValueError("the salt has not 16 to 64 bytes")

    def derive(self, passphrase: str) -> bytes:
        """Raises MemoryError where its 128 * n * r bytes are not to be had."""
        # what the terminal gave, byte for byte, even where it is no UTF-8
        secret = passphrase.encode("utf-8", "surrogateescape")
        salt = box.decode_base64(self.salt)
        return Scrypt(salt=salt, length=KEY_SIZE, n=self.n, r=self.r, p=self.p).derive(secret)


@dataclass(frozen=True, slots=True)
class Kek:
    """Either `key` or both of `scrypt` and `sealed_key`, as they stand in the document."""

    format: str
    id: str
    v: int
    key: str | None = field(default=None, repr=False)
    scrypt: Cost | None = None
    sealed_key: str | None = None

    def __post_init__(self) -> None:
        if self.format != FORMAT or self.v != VERSION:
            raise ValueError(f"it is no {FORMAT} of version {VERSION}")
        if not names.is_uuid(self.id):
            raise ValueError("its id is no UUID in lower case")
        protected = self.scrypt is not None
        if protected != (self.sealed_key is not None) or protected != (self.key is None):
            raise ValueError("it has neither `key` alone nor `scrypt` with `sealed_key`")

    def open(self) -> bytes:
        """The key of a document without a passphrase. Raises NotAKek."""
        assert self.key is not None
        try:
            return _key(box.decode_base64(self.key))
        except box.BoxRefused as error:
            raise NotAKek(f"its key is {error}") from error

    def open_with(self, passphrase: str) -> bytes:
        """The key of a document with one. Raises BoxRefused where it is wrong, and NotAKek."""
        assert self.scrypt is not None
        assert self.sealed_key is not None
        bound = _stored(self, without="sealed_key")
        return _key(box.open_(self.scrypt.derive(passphrase), self.sealed_key, bound))


def encode(key_id: str, key: bytes, passphrase: str | None = None) -> bytes:
    """The document's bytes; with `passphrase` (not empty) the key is encrypted."""
    if passphrase is None:
        return _stored(Kek(FORMAT, key_id, VERSION, key=box.encode_base64(key)))
    if not passphrase:
        raise ValueError("an empty passphrase protects nothing")
    cost = Cost(_N, _P, _R, box.encode_base64(os.urandom(_SALT_SIZE)))
    kek = Kek(FORMAT, key_id, VERSION, scrypt=cost, sealed_key="")
    sealed = box.seal(cost.derive(passphrase), key, _stored(kek, without="sealed_key"))
    return _stored(Kek(FORMAT, key_id, VERSION, scrypt=cost, sealed_key=sealed))


def decode(data: bytes) -> Kek:
    """Raises NotAKek for anything but what `encode` gives, and for costs over the bounds."""
    try:
        kek = codec.decode(Kek, canonical.decode(data))
    except ValueError as error:  # NotCanonical and DecodeError are ValueErrors
        raise NotAKek(str(error)) from error
    if _stored(kek) != data:
        raise NotAKek("a value is null")
    return kek


def _stored(kek: Kek, *, without: str = "") -> bytes:
    """Canonical bytes: what is not there has no key."""
    document = codec.encode(kek)
    return canonical.encode(
        {name: value for name, value in document.items() if value is not None and name != without}
    )


def _key(raw: bytes) -> bytes:
    if len(raw) != KEY_SIZE:
        raise NotAKek(f"its key has {len(raw)} bytes, not {KEY_SIZE}")
    return raw
