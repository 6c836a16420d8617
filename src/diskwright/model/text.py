"""Strings that a guest or an image wrote, made fit to be shown."""

from __future__ import annotations

import json
import re

_NOT_AN_END = re.compile(r"\r(?!\n)|[^\r\n]")


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


def data_on_terminal(text: str) -> str:
    """Lines of JSON or CSV with nothing but their line ends that a terminal would obey; JSON means
    the same, as it is spelled out in its way: `\\u009b`."""
    return text if text.isascii() and text.isprintable() else _NOT_AN_END.sub(_spelled, text)


def _spelled(found: re.Match[str]) -> str:
    char = found[0]
    return char if char.isprintable() else json.dumps(char)[1:-1]
