"""The encrypted part of a sealed image's manifest (docs/sealed-format.md, "Manifest")."""

from __future__ import annotations

import hashlib

from diskwright.envelope import box, keys
from diskwright.errors import DataTampered

INFO = b"diskwright manifest v1"


def seal_private(data_key: bytes, body: bytes, clear: bytes) -> str:
    """`private`: base64 of `body` encrypted and bound to `clear`.

    `clear` is the manifest without `private`, in canonical form (`manifest.clear_part`).
    """
    return box.seal(keys.derive(data_key, INFO), body, hashlib.sha256(clear).digest())


def open_private(data_key: bytes, private: str, clear: bytes, *, what: str = "manifest") -> bytes:
    """The body. Raises DataTampered where `private` or `clear` is not what was sealed.

    `what` names the manifest in that error.
    """
    return open_bound(data_key, private, hashlib.sha256(clear).digest(), what=what)


def open_bound(data_key: bytes, private: str, bound: bytes, *, what: str) -> bytes:
    """The same, where the SHA-256 of `clear` is known."""
    try:
        return box.open_(keys.derive(data_key, INFO), private, bound)
    except box.BoxRefused as error:
        raise DataTampered(what, f"its private part {error}") from error
