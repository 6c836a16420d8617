"""Small files of `KEY=value` lines, and the ports that are written in them."""

from __future__ import annotations

from collections.abc import Collection

from diskwright.guest.reading import NotThere
from diskwright.guest.tree import GuestTree

MAX_FILE = 1 << 20


def text_of(tree: GuestTree, path: str) -> str | None:
    """None where it is not there. Raises GuestReadError."""
    try:
        return tree.read_text(path, MAX_FILE)
    except NotThere:
        return None


def setting(tree: GuestTree, path: str, key: str) -> str:
    """Of lines `KEY=value`, the last one, without quotes."""
    value = ""
    for line in (text_of(tree, path) or "").split("\n"):
        name, equals, said = line.partition("=")
        if equals and name.strip() == key:
            value = said.strip().strip("\"'")
    return value


def covers(said: str, ports: Collection[int], between: str, span: str) -> bool:
    """Whether `22,80` or `20:30` has one of the ports."""
    for part in said.split(between):
        low, _, high = part.partition(span)
        first, last = _number(low), _number(high or low)
        if any(first <= port <= last for port in ports):
            return True
    return False


def _number(text: str) -> int:
    """Zero, which is no port, for what is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 5 else 0
