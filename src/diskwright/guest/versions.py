"""Which of two versions is newer (UAPI Group, Version Format Specification)."""

from __future__ import annotations

import re
from typing import TypeAlias

MAX_VERSION = 255  # characters that count: as many as a file's name has

# Compared part by part; the rank comes first
VersionKey: TypeAlias = list[tuple[int, int, str]]

_PART = re.compile(r"[~^.-]|[0-9]+|[A-Za-z]+")  # anything else only separates
_RANKS = {"~": 0, "-": 2, "^": 3, ".": 4}
_END, _LETTERS, _DIGITS = 1, 5, 6


def version_order(version: str) -> VersionKey:
    """A sort key; the newest version is the last."""
    parts = [_part(text) for text in _PART.findall(version[:MAX_VERSION])]
    return [*parts, (_END, 0, "")]


def _part(text: str) -> tuple[int, int, str]:
    if text in _RANKS:
        return _RANKS[text], 0, ""
    return (_DIGITS, int(text), "") if text.isdecimal() else (_LETTERS, 0, text)
