"""Data keys wrapped for a public key, by HPKE (docs/sealed-format.md, "Receivers").

The KEM is MLKEM768-X25519, which is X-Wing (draft-connolly-cfrg-xwing-kem): a private key is a
seed of 32 bytes, a public key is ML-KEM's 1,184 bytes and X25519's 32. Whoever has the public
document can wrap; only the private key unwraps.
"""

from __future__ import annotations

import hashlib

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)

from diskwright._values import Secretive
from diskwright.envelope import box
from diskwright.errors import KeyRefused
from diskwright.model import canonical, codec, names
from diskwright.model.stored import WrappedKey

PROVIDER = "hpke"
FORMAT = "diskwright-receiver-public"
VERSION = 1
SUITE = "MLKEM768-X25519/HKDF-SHA256/AES-256-GCM"
INFO = b"diskwright receiver v1"  # the context follows
LIMIT_BYTES = 4096  # of a public document; one has some 1,900

_SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_MLKEM_PUBLIC = 1184  # bytes; 32 of X25519 follow
_MLKEM_SEED = 64  # bytes, as above


class NotAReceiver(ValueError):
    """The bytes are no public document of a receiver that can be wrapped for."""


class ReceiverPublicKey(Secretive, frozen=True):
    """A receiver's public document. A KeyWrapper that wraps, and unwraps nothing.

    It proves nothing of whose key it is: compare its fingerprint with the owner, another way.
    """

    format: str
    id: str
    name: str  # as the receiver calls themselves: at most 128 characters, all printable
    public: str  # base64
    suite: str
    v: int

    def __post_init__(self) -> None:
        if self.format != FORMAT or self.v != VERSION:
            raise ValueError(f"it is no {FORMAT} of version {VERSION}")
        if self.suite != SUITE:
            raise ValueError(f"its suite is not {SUITE}")
        if not names.is_uuid(self.id):
            raise ValueError("its id is no UUID in lower case")
        check_name(self.name)
        _SUITE.encrypt(b"", self._public_key())  # not every 1,216 bytes are a key

    @classmethod
    def decode(cls, data: bytes) -> ReceiverPublicKey:
        """From anybody's bytes; one line end after the document is let pass.

        Raises NotAReceiver for anything but what `encode` gives.
        """
        if len(data) > LIMIT_BYTES:
            raise NotAReceiver(f"it has over {LIMIT_BYTES} bytes")
        try:
            return codec.decode(cls, canonical.decode(data.removesuffix(b"\n")))
        except ValueError as error:  # NotCanonical and DecodeError are ValueErrors
            raise NotAReceiver(str(error)) from error

    def encode(self) -> bytes:
        return canonical.encode(codec.encode(self))

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the document, in hex."""
        return hashlib.sha256(self.encode()).hexdigest()

    def wrap(self, data_key: bytes, context: bytes) -> WrappedKey:
        sealed = _SUITE.encrypt(data_key, self._public_key(), INFO + context)
        return WrappedKey(PROVIDER, self.id, box.encode_base64(sealed), {"suite": SUITE})

    def unwrap(self, wrapped: WrappedKey, context: bytes) -> bytes:  # noqa: ARG002
        """Always raises KeyRefused: the receiver alone can."""
        raise KeyRefused(
            f"of receiver {self.id}",
            "this is its public half, which seals and opens nothing",
            "name the receiver's own key file: --key receiver:FILE",
        )

    def _public_key(self) -> MLKEM768X25519PublicKey:
        raw = box.decode_base64(self.public)
        return MLKEM768X25519PublicKey(
            MLKEM768PublicKey.from_public_bytes(raw[:_MLKEM_PUBLIC]),
            X25519PublicKey.from_public_bytes(raw[_MLKEM_PUBLIC:]),
        )


class ReceiverKey(Secretive, frozen=True):
    """A KeyWrapper: a receiver's key pair."""

    label: str  # receiver:PATH, for messages
    public: ReceiverPublicKey
    _seed: bytes

    @classmethod
    def of(cls, label: str, key_id: str, name: str, seed: bytes) -> ReceiverKey:
        """From the 32 bytes of its private key. Raises ValueError for a name that is none."""
        private_mlkem, private_x25519 = _expanded(seed)
        public = (
            private_mlkem.public_key().public_bytes_raw()
            + private_x25519.public_key().public_bytes_raw()
        )
        document = ReceiverPublicKey(
            FORMAT, key_id, name, box.encode_base64(public), SUITE, VERSION
        )
        return cls(label, document, seed)

    def wrap(self, data_key: bytes, context: bytes) -> WrappedKey:
        return self.public.wrap(data_key, context)

    def unwrap(self, wrapped: WrappedKey, context: bytes) -> bytes:
        """Raises KeyRefused where the key, the context or the wrapped key is another."""
        if wrapped.provider != PROVIDER or wrapped.key_id != self.public.id:
            owner = f"{wrapped.provider}:{wrapped.key_id}"
            reason = f"this is receiver {self.public.id}, the data key is for {owner!r}"
            raise KeyRefused(self.label, reason)
        if wrapped.params != {"suite": SUITE}:
            raise KeyRefused(self.label, f"the wrapped key is not of the suite {SUITE}")
        private = MLKEM768X25519PrivateKey(*_expanded(self._seed))
        try:
            sealed = box.decode_base64(wrapped.wrapped_key)
            return _SUITE.decrypt(sealed, private, INFO + context)
        except (box.BoxRefused, InvalidTag) as error:
            reason = "the wrapped key does not verify: it was changed, or is of another seal"
            raise KeyRefused(self.label, reason) from error


def check_name(name: str) -> None:
    """Raises ValueError for a receiver's name that is empty, too long or not printable."""
    if not 1 <= len(name) <= names.NAME_LIMIT or not name.isprintable():
        raise ValueError(f"its name has not 1 to {names.NAME_LIMIT} printable characters")


def _expanded(seed: bytes) -> tuple[MLKEM768PrivateKey, X25519PrivateKey]:
    """X-Wing's key pair of a seed: SHAKE256 gives ML-KEM's seed and X25519's key."""
    expanded = hashlib.shake_256(seed).digest(_MLKEM_SEED + 32)
    return (
        MLKEM768PrivateKey.from_seed_bytes(expanded[:_MLKEM_SEED]),
        X25519PrivateKey.from_private_bytes(expanded[_MLKEM_SEED:]),
    )
