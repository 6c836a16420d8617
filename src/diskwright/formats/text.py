"""Words that a header says of its maker."""

from __future__ import annotations


def told(text: str) -> str | None:
    """`text` to its first NUL, without spaces around it; None where nothing is left."""
    return text.partition("\0")[0].strip() or None
