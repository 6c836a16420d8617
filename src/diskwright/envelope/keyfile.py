"""The documents that hold a secret key of 32 bytes, in clear or under a passphrase.

They are `kek.json` and `receiver.json` of docs/sealed-format.md: one form, and a receiver's also
says its name and its suite.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from diskwright._values import Secretive, Struct
from diskwright.envelope import box
from diskwright.envelope.keys import KEY_SIZE
from diskwright.errors import KeyRefused, KeyUnreadable
from diskwright.model import canonical, codec, names

KEK = "diskwright-kek"
RECEIVER = "diskwright-receiver"
VERSION = 1

_SALT_SIZE = 16
_SALT_SIZES = range(_SALT_SIZE, 65)
# 128 MiB and some 0.3 s for each guess. RFC 7914 section 2 says what n, r and p are.
_N, _R, _P = 1 << 17, 8, 1
_N_MAXIMUM = 1 << 20  # 1 GiB
_P_MAXIMUM = 4


class NotAKeyFile(ValueError):
    """The bytes are no key document of a version that is read here."""


class Cost(Struct, frozen=True):
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


class KeyFile(Secretive, frozen=True):
    """Either `key` or both of `scrypt` and `sealed_key`, as they stand in the document."""

    format: str  # KEK or RECEIVER
    id: str
    v: int
    key: str | None = None
    scrypt: Cost | None = None
    sealed_key: str | None = None
    name: str | None = None  # of a receiver, and of nothing else
    suite: str | None = None

    def __post_init__(self) -> None:
        if self.format not in (KEK, RECEIVER) or self.v != VERSION:
            raise ValueError(f"it is no {KEK} and no {RECEIVER} of version {VERSION}")
        if not names.is_uuid(self.id):
            raise ValueError("its id is no UUID in lower case")
        protected = self.scrypt is not None
        if protected != (self.sealed_key is not None) or protected != (self.key is None):
            raise ValueError("it has neither `key` alone nor `scrypt` with `sealed_key`")
        receiver = self.format == RECEIVER
        if receiver != (self.name is not None) or receiver != (self.suite is not None):
            raise ValueError("a receiver has a name and a suite, and no other key has")

    def unlock(self, passphrase: Callable[[], str] | None, *, key: str) -> bytes:
        """The secret key; `passphrase` is asked only where the document needs one.

        Raises NotAKeyFile where the key is none, KeyUnreadable where there is nobody to ask,
        KeyRefused where the passphrase is wrong; `key` names it in both.
        """
        if self.key is not None:
            try:
                return _secret(box.decode_base64(self.key))
            except box.BoxRefused as error:
                raise NotAKeyFile(f"its key is {error}") from error
        if passphrase is None:
            raise KeyUnreadable(
                key,
                "it is protected by a passphrase, and none was given",
                "run this in a terminal to be asked for it",
            )
        try:
            return self._open_with(passphrase())
        except box.BoxRefused as error:
            reason = "the passphrase is wrong, or the file was changed"
            raise KeyRefused(key, reason, "try the passphrase again") from error
        except MemoryError as error:
            raise KeyUnreadable(key, "there is not enough memory for its passphrase") from error

    def _open_with(self, passphrase: str) -> bytes:
        assert self.scrypt is not None
        assert self.sealed_key is not None
        bound = _stored(self, without="sealed_key")
        return _secret(box.open_(self.scrypt.derive(passphrase), self.sealed_key, bound))


def encode(
    kind: str,
    key_id: str,
    key: bytes,
    passphrase: str | None = None,
    *,
    name: str | None = None,
    suite: str | None = None,
) -> bytes:
    """The document's bytes; with `passphrase` (not empty) the key is encrypted."""
    if passphrase is None:
        clear = box.encode_base64(key)
        return _stored(KeyFile(kind, key_id, VERSION, key=clear, name=name, suite=suite))
    if not passphrase:
        raise ValueError("an empty passphrase protects nothing")
    cost = Cost(_N, _P, _R, box.encode_base64(os.urandom(_SALT_SIZE)))

    def document(sealed_key: str) -> KeyFile:
        return KeyFile(kind, key_id, VERSION, None, cost, sealed_key, name, suite)

    bound = _stored(document(""), without="sealed_key")
    return _stored(document(box.seal(cost.derive(passphrase), key, bound)))


def decode(data: bytes, kind: str) -> KeyFile:
    """Raises NotAKeyFile for anything but what `encode` gives, and for costs over the bounds."""
    try:
        document = codec.decode(KeyFile, canonical.decode(data))
    except ValueError as error:  # NotCanonical and DecodeError are ValueErrors
        raise NotAKeyFile(str(error)) from error
    if document.format != kind:
        raise NotAKeyFile(f"it is a {document.format}, not a {kind}")
    if _stored(document) != data:
        raise NotAKeyFile("a value is null")
    return document


def _stored(document: KeyFile, *, without: str = "") -> bytes:
    """Canonical bytes: what is not there has no key."""
    values = codec.encode(document)
    return canonical.encode(
        {name: value for name, value in values.items() if value is not None and name != without}
    )


def _secret(raw: bytes) -> bytes:
    if len(raw) != KEY_SIZE:
        raise NotAKeyFile(f"its key has {len(raw)} bytes, not {KEY_SIZE}")
    return raw
