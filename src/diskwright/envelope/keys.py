"""Data keys and what is derived from them (docs/sealed-format.md, "Keys")."""

from __future__ import annotations

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_SIZE = 32


def derive(data_key: bytes, info: bytes, *, salt: bytes = b"") -> bytes:
    """32 bytes by HKDF-SHA256 (RFC 5869); `info` names the one use of the result."""
    if len(data_key) != KEY_SIZE:
        raise ValueError(f"a data key has {KEY_SIZE} bytes, not {len(data_key)}")
    return HKDF(algorithm=SHA256(), length=KEY_SIZE, salt=salt, info=info).derive(data_key)
