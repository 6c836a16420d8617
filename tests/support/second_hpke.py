"""A second opener of keys wrapped for a receiver, from RFC 9180, the X-Wing draft and
docs/sealed-format.md alone: ML-KEM, X25519, hashes and AES-GCM, and no HPKE of a library's."""

from __future__ import annotations

import hashlib
import hmac

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEM, KDF, AEAD = 0x647A, 0x0001, 0x0002
SUITE = b"HPKE" + b"".join(number.to_bytes(2, "big") for number in (KEM, KDF, AEAD))
XWING_LABEL = b"\\.//^\\"


def keys(seed: bytes) -> tuple[MLKEM768PrivateKey, X25519PrivateKey]:
    expanded = hashlib.shake_256(seed).digest(96)
    return (
        MLKEM768PrivateKey.from_seed_bytes(expanded[:64]),
        X25519PrivateKey.from_private_bytes(expanded[64:]),
    )


def public_of(seed: bytes) -> bytes:
    mlkem, x25519 = keys(seed)
    return mlkem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw()


def decapsulate(seed: bytes, encapsulated: bytes) -> bytes:
    """X-Wing's shared secret (draft-connolly-cfrg-xwing-kem, section 5)."""
    assert len(encapsulated) == 1120
    mlkem, x25519 = keys(seed)
    theirs = encapsulated[1088:]
    one = mlkem.decapsulate(encapsulated[:1088])
    two = x25519.exchange(X25519PublicKey.from_public_bytes(theirs))
    ours = x25519.public_key().public_bytes_raw()
    return hashlib.sha3_256(one + two + theirs + ours + XWING_LABEL).digest()


def open_(seed: bytes, sealed: bytes, info: bytes) -> bytes:
    """Single-shot, base mode, no associated data (RFC 9180, sections 5.1 and 6.1)."""
    secret = decapsulate(seed, sealed[:1120])
    key, nonce = schedule(secret, info)
    return AESGCM(key).decrypt(nonce, sealed[1120:], None)


def schedule(secret: bytes, info: bytes, suite: bytes = SUITE, size: int = 32) -> tuple[bytes, ...]:
    """The key, of `size` bytes, and the base nonce."""
    hashed = [_extract(b"", name, value, suite) for name, value in _inputs(info)]
    context = b"\x00" + b"".join(hashed)
    root = _extract(secret, b"secret", b"", suite)
    return _expand(root, b"key", context, size, suite), _expand(
        root, b"base_nonce", context, 12, suite
    )


def _inputs(info: bytes) -> list[tuple[bytes, bytes]]:
    return [(b"psk_id_hash", b""), (b"info_hash", info)]


def _extract(salt: bytes, label: bytes, value: bytes, suite: bytes) -> bytes:
    return hmac.digest(salt or bytes(32), b"HPKE-v1" + suite + label + value, "sha256")


def _expand(key: bytes, label: bytes, info: bytes, size: int, suite: bytes) -> bytes:
    """One block is enough for 32 bytes."""
    labelled = size.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info
    return hmac.digest(key, labelled + b"\x01", "sha256")[:size]
