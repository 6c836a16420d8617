"""Units as OVF writes them: `byte * 2^20` (DSP0004, programmatic units), and what came before."""

from __future__ import annotations

import re

_PROGRAMMATIC = re.compile(r"bytes?(?: ?\* ?(2|10) ?\^ ?([0-9]{1,2}))?")
_WORDS = {
    "kb": 1 << 10,
    "kilobytes": 1 << 10,
    "mb": 1 << 20,
    "megabytes": 1 << 20,
    "gb": 1 << 30,
    "gigabytes": 1 << 30,
    "tb": 1 << 40,
    "terabytes": 1 << 40,
}


def unit_bytes(text: str) -> int | None:
    """Bytes in one of the unit, at most 2^62; None where it is no unit of bytes."""
    plain = " ".join(text.lower().split())
    if plain in _WORDS:
        return _WORDS[plain]
    found = _PROGRAMMATIC.fullmatch(plain)
    if found is None:
        return None
    unit = int(found[1] or 1) ** int(found[2] or 0)
    return unit if unit <= 1 << 62 else None
