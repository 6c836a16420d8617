"""The text that LVM2 keeps its metadata in: sections, values and lists.

Source: lvm2 2.03, libdm/libdm-config.c.

    name { key = value … }      value: 12, "text" or [ value, value, … ]      # up to the line's end
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TypeAlias

from diskwright.guest.reading import Unreadable, damaged

Scalar: TypeAlias = int | str
Value: TypeAlias = "Scalar | list[Scalar] | dict[str, Value]"
Tree: TypeAlias = dict[str, Value]

MAX_TEXT = 4 << 20
MAX_DEPTH = 8  # lvm2 writes five
MAX_VALUES = 50_000  # sections, keys and members of lists; a volume takes about 20

_TOKEN = re.compile(
    r"""(?:\s|\#[^\n]*+)++
    | (?P<mark>[{}\[\]=,])
    | (?P<text>"(?:[^"\\]|\\.)*+")
    | (?P<number>-?[0-9]{1,18}(?![0-9A-Za-z_.+-]))
    | (?P<name>[0-9A-Za-z_.+-]{1,256})""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPED = re.compile(r'\\(["\\])')


def parse_text(raw: bytes) -> Tree:
    """Raises `Unreadable` for what lvm2 would not have written, also for a key that comes twice."""
    if len(raw) > MAX_TEXT:
        raise Unreadable("too-large", f"metadata of {len(raw)} bytes")
    tokens = _tokens(raw.decode("utf-8", "backslashreplace"))
    root: Tree = {}
    open_ones = [root]
    values = 0
    for kind, key in tokens:
        values += 1
        if (kind, key) == ("mark", "}") and len(open_ones) > 1:
            open_ones.pop()
            continue
        if kind == "mark":
            raise damaged(f"metadata: {key} where a name is wanted")
        value: Value
        _, mark = _next(tokens)
        if mark == "{":
            section: Tree = {}
            open_ones.append(section)
            value = section
            if len(open_ones) > MAX_DEPTH:
                raise Unreadable("too-large", f"metadata: more than {MAX_DEPTH} sections deep")
        elif mark == "=":
            value = _value(tokens, MAX_VALUES - values)
            values += len(value) if isinstance(value, list) else 0
        else:
            raise damaged(f"metadata: {key} is followed by {mark}")
        if values > MAX_VALUES:
            raise Unreadable("too-large", f"metadata: more than {MAX_VALUES} values")
        here = open_ones[-2] if isinstance(value, dict) else open_ones[-1]
        name = _unquoted(key) if kind == "text" else key
        if name in here:
            raise damaged(f"metadata: {name} comes twice")
        here[name] = value
    if len(open_ones) > 1:
        raise damaged("metadata: a section has no end")
    return root


_Token: TypeAlias = tuple[str, str]


def _tokens(text: str) -> Iterator[_Token]:
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise damaged(f"metadata: {text[at : at + 20]!r} is not understood")
        at = match.end()
        if match.lastgroup:
            yield match.lastgroup, match[match.lastgroup]


def _next(tokens: Iterator[_Token]) -> _Token:
    token = next(tokens, None)
    if token is None:
        raise damaged("metadata: it ends too early")
    return token


def _value(tokens: Iterator[_Token], most: int) -> Value:
    kind, text = _next(tokens)
    if (kind, text) != ("mark", "["):
        return _scalar(kind, text)
    found: list[Scalar] = []
    while True:
        kind, text = _next(tokens)
        if (kind, text) == ("mark", "]"):
            return found
        if (kind, text) == ("mark", ","):
            continue
        if len(found) >= most:
            raise Unreadable("too-large", f"metadata: more than {MAX_VALUES} values")
        found.append(_scalar(kind, text))


def _scalar(kind: str, text: str) -> Scalar:
    if kind == "number":
        return int(text)
    if kind == "text":
        return _unquoted(text)
    raise damaged(f"metadata: {text} where a value is wanted")


def _unquoted(text: str) -> str:
    return _ESCAPED.sub(r"\1", text[1:-1])
