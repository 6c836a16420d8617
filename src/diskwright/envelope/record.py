"""The encrypted parts of a sealed image's records (docs/layout.md, "Records")."""

from __future__ import annotations

import hashlib
import hmac

from diskwright.envelope import box, keys
from diskwright.errors import DataTampered

ENC_INFO = b"diskwright record v1 enc"
MAC_INFO = b"diskwright record v1 mac"


def seal_body(data_key: bytes, body: bytes, rest: bytes) -> str:
    """Base64 of `body` encrypted and bound to `rest`, the canonical record without it."""
    return box.seal(keys.derive(data_key, ENC_INFO), body, hashlib.sha256(rest).digest())


def open_body(data_key: bytes, text: str, rest: bytes, *, what: str) -> bytes:
    """Raises DataTampered, which names `what`, where text or rest is not what was sealed."""
    try:
        return box.open_(keys.derive(data_key, ENC_INFO), text, hashlib.sha256(rest).digest())
    except box.BoxRefused as error:
        raise DataTampered(what, f"its body {error}") from error


def mac(data_key: bytes, document: bytes) -> str:
    """Base64 of HMAC-SHA256 over the canonical recipients record without `mac`."""
    key = keys.derive(data_key, MAC_INFO)
    return box.encode_base64(hmac.new(key, document, hashlib.sha256).digest())


def is_mac(data_key: bytes, document: bytes, text: str) -> bool:
    return hmac.compare_digest(mac(data_key, document).encode(), text.encode())
