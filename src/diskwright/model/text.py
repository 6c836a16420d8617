"""Strings that a guest or an image wrote, made fit to be shown."""

from __future__ import annotations


def printable(text: str) -> str:
    """`text` in one line with nothing a terminal would obey: `\\x1b`, `\\n`, `\\u202e` spelled out.

    Whatever Unicode calls not printable goes: controls, line separators, direction marks, lone
    surrogates. A file name can so never move the cursor, nor pretend to be a line of ours.
    """
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )
