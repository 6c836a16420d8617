"""Text in columns of a terminal's cells: a wide character takes two, a combining one none."""

from __future__ import annotations

import unicodedata

ELLIPSIS = "…"
_NO_CELL = frozenset({"Mn", "Me"})


def cells(text: str) -> int:
    """Of text that is `printable` already. East Asian Width (UAX #11): W and F are two cells."""
    if text.isascii():
        return len(text)
    return sum(map(_cells_of, text))


def _cells_of(char: str) -> int:
    if unicodedata.category(char) in _NO_CELL:
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def filled(text: str, width: int) -> str:
    """With spaces up to `width` cells."""
    return text + " " * (width - cells(text))


def cut(text: str, width: int) -> str:
    """In at most `width` cells, with an ellipsis for what is gone; whole where it fits."""
    if cells(text) <= width:
        return text
    room = width - 1
    kept = 0
    for index, char in enumerate(text):
        kept += _cells_of(char)
        if kept > room:
            return text[:index] + ELLIPSIS
    return text
