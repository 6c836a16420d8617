"""A second reader of the sealed format, written from docs/sealed-format.md alone.

It shares no line with the project, so that both can't be wrong in the same way by accident.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import struct

from cryptography.hazmat.primitives.ciphers.aead import AESGCM


def _hkdf(key: bytes, salt: bytes, info: bytes) -> bytes:
    extracted = hmac.digest(salt or bytes(32), key, "sha256")
    return hmac.digest(extracted, info + b"\x01", "sha256")


def _unbox(key: bytes, text: str, associated_data: bytes) -> bytes:
    raw = base64.b64decode(text, validate=True)
    return AESGCM(key).decrypt(raw[:12], raw[12:], associated_data)


def read_kek(text: str, passphrase: str | None = None) -> tuple[str, bytes]:
    """The id and the key."""
    document = json.loads(text)
    if passphrase is None:
        return document["id"], base64.b64decode(document["key"])
    sealed = document.pop("sealed_key")
    cost = document["scrypt"]
    wrapping = hashlib.scrypt(
        passphrase.encode(),
        salt=base64.b64decode(cost["salt"]),
        n=cost["n"],
        r=cost["r"],
        p=cost["p"],
        maxmem=1 << 28,
        dklen=32,
    )
    bound = json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
    return document["id"], _unbox(wrapping, sealed, bound)


def read_disk(sealed: bytes, kek_id: str, kek: bytes) -> bytes:
    """The plaintext of a sealed disk."""
    assert sealed[:8] == b"DWSEAL\x01\n"
    (length,) = struct.unpack_from(">I", sealed, 8)
    j1 = sealed[12 : 12 + length]
    at = 12 + length
    (length,) = struct.unpack_from(">I", sealed, at)
    j2 = json.loads(sealed[at + 4 : at + 4 + length])
    (mine,) = (r for r in j2 if r["provider"] == "local" and r["key_id"] == kek_id)
    context = b'{"dw":"1","seal":"%s"}' % json.loads(j1)["seal"].encode()
    data_key = _unbox(kek, mine["wrapped_key"], context)
    mac = hmac.digest(_hkdf(data_key, b"", b"diskwright header v1"), sealed[:16352], "sha256")
    assert mac == sealed[16352:16384]
    payload = sealed[16384:]
    assert payload[0] == 40
    salt, prefix = payload[1:33], payload[33:40]
    cipher = AESGCM(_hkdf(data_key, salt, hashlib.sha256(j1).digest()))
    plain, start, number = b"", 40, 0
    while start < len(payload):
        end = min((number + 1) << 20, len(payload))
        nonce = prefix + struct.pack(">IB", number, end == len(payload))
        plain += cipher.decrypt(nonce, payload[start:end], None)
        start, number = end, number + 1
    return plain


def read_private(data_key: bytes, private: str, clear: bytes) -> bytes:
    key = _hkdf(data_key, b"", b"diskwright manifest v1")
    return _unbox(key, private, hashlib.sha256(clear).digest())
