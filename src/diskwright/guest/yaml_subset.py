"""The part of YAML that network configurations are written in; anything else is refused.

Block mappings and sequences by indentation, flow collections, plain and quoted scalars, comments.
No anchors, tags, block scalars, complex keys or several documents: guessing would be worse.
"""

from __future__ import annotations

import re

from diskwright._values import Struct

MAX_LINES = 20_000
MAX_DEPTH = 30
MAX_FLOW = 16 << 10  # characters of one collection in brackets

_QUOTED_KEY = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:[^']|'')*')\s*:(?:\s+|$)""")
_NO_KEY = frozenset("\"'[]{},&*!|>%@`#")
_REFUSED = "&*!|>%@`"


class YamlRefused(Exception):
    """Outside the subset; the text tells the line."""


class Yaml(Struct, frozen=True):
    """A value and the line, from 1, on which it begins. Scalars are text, whatever they mean."""

    value: str | dict[str, Yaml] | list[Yaml]
    line: int

    def get(self, *path: str) -> Yaml | None:
        here: Yaml | None = self
        for key in path:
            if here is None or not isinstance(here.value, dict):
                return None
            here = here.value.get(key)
        return here

    def items(self) -> list[tuple[str, Yaml]]:
        return list(self.value.items()) if isinstance(self.value, dict) else []

    def texts(self) -> list[str]:
        """A scalar, or the scalars of a sequence (of mappings: their first keys)."""
        if isinstance(self.value, list):
            return [text for item in self.value for text in item.texts()[:1]]
        if isinstance(self.value, dict):
            return list(self.value)
        return [self.value] if self.value else []

    @property
    def is_true(self) -> bool:
        return isinstance(self.value, str) and self.value.lower() in ("true", "yes", "on", "y")


class _Line(Struct, frozen=True):
    number: int
    indent: int
    text: str


def parse_yaml(text: str) -> Yaml:
    """The document; an empty one is an empty text. Raises YamlRefused."""
    lines = _lines(text)
    if not lines:
        return Yaml("", 1)
    value, at = _block(lines, 0, lines[0].indent, 0)
    if at < len(lines):
        raise YamlRefused(f"line {lines[at].number}: its indentation fits nothing")
    return value


def _lines(text: str) -> list[_Line]:
    found: list[_Line] = []
    raw = text.split("\n")
    if len(raw) > MAX_LINES:
        raise YamlRefused(f"more than {MAX_LINES} lines")
    open_flow = 0
    for number, line in enumerate(raw, start=1):
        body = _strip_comment(line.rstrip())
        stripped = body.lstrip(" ")
        if not stripped.strip() or (stripped == "---" and not found):
            continue
        if stripped.startswith("\t") or stripped in ("---", "..."):
            raise YamlRefused(f"line {number}: {stripped.strip() or 'a tab'} is not read")
        if open_flow > 0:
            last = found.pop()
            found.append(_Line(last.number, last.indent, f"{last.text} {stripped}"))
            if len(found[-1].text) > MAX_FLOW:
                raise YamlRefused(f"line {last.number}: brackets are open for too long")
        else:
            found.append(_Line(number, len(body) - len(stripped), stripped))
        open_flow += _flow_balance(stripped)
    if open_flow:
        raise YamlRefused(f"line {found[-1].number}: brackets do not match")
    return found


def _strip_comment(line: str) -> str:
    quote = ""
    for at, char in enumerate(line):
        if quote:
            quote = "" if char == quote else quote
        elif char in "\"'" and (at == 0 or line[at - 1] in " [{,:"):
            quote = char
        elif char == "#" and (at == 0 or line[at - 1] in " \t"):
            return line[:at].rstrip()
    return line


def _flow_balance(text: str) -> int:
    bare = re.sub(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^']|'')*'", "", text)
    return sum(bare.count(c) for c in "[{") - sum(bare.count(c) for c in "]}")


def _block(lines: list[_Line], at: int, indent: int, depth: int) -> tuple[Yaml, int]:
    if depth > MAX_DEPTH:
        raise YamlRefused(f"line {lines[at].number}: nested deeper than {MAX_DEPTH}")
    if lines[at].text == "-" or lines[at].text.startswith("- "):
        return _sequence(lines, at, indent, depth)
    if _split_key(lines[at].text):
        return _mapping(lines, at, indent, depth)
    return _scalar(lines[at].text, lines[at].number), at + 1


def _sequence(lines: list[_Line], at: int, indent: int, depth: int) -> tuple[Yaml, int]:
    items: list[Yaml] = []
    first = lines[at].number
    while at < len(lines) and lines[at].indent == indent:
        line = lines[at]
        if line.text != "-" and not line.text.startswith("- "):
            break
        rest = line.text[1:].lstrip(" ")
        if rest:
            inner = indent + len(line.text) - len(rest)
            lines[at] = _Line(line.number, inner, rest)
            item, at = _block(lines, at, inner, depth + 1)
        elif at + 1 < len(lines) and lines[at + 1].indent > indent:
            item, at = _block(lines, at + 1, lines[at + 1].indent, depth + 1)
        else:
            item, at = Yaml("", line.number), at + 1
        items.append(item)
    return Yaml(items, first), at


def _mapping(lines: list[_Line], at: int, indent: int, depth: int) -> tuple[Yaml, int]:
    found: dict[str, Yaml] = {}
    first = lines[at].number
    while at < len(lines) and lines[at].indent == indent:
        line = lines[at]
        pair = _split_key(line.text)
        if pair is None:
            break
        key, rest = pair
        at += 1
        if rest:
            value = _scalar(rest, line.number)
        elif at < len(lines) and _belongs(lines[at], indent):
            value, at = _block(lines, at, lines[at].indent, depth + 1)
            value = Yaml(value.value, line.number)
        else:
            value = Yaml("", line.number)
        if key in found:
            raise YamlRefused(f"line {line.number}: {key} comes twice")
        found[key] = value
    return Yaml(found, first), at


def _split_key(text: str) -> tuple[str, str] | None:
    """`key: rest`; None for what is no key."""
    quoted = _QUOTED_KEY.match(text)
    if quoted:
        return _unquote(quoted[1]), text[quoted.end() :]
    if text[0] in _NO_KEY:
        return None
    key, colon, rest = text.partition(": ")
    if not colon:
        if not text.endswith(":"):
            return None
        key, rest = text[:-1], ""
    return key.rstrip(), rest.strip()


def _belongs(line: _Line, indent: int) -> bool:
    """A sequence may stand as far left as the key that it belongs to."""
    is_item = line.text == "-" or line.text.startswith("- ")
    return line.indent > indent or (line.indent == indent and is_item)


def _scalar(text: str, line: int) -> Yaml:
    if text[0] in "[{":
        if len(text) > MAX_FLOW:
            raise YamlRefused(f"line {line}: a collection of more than {MAX_FLOW} characters")
        value, rest = _flow(text, line, 0)
        if rest.strip():
            raise YamlRefused(f"line {line}: {rest.strip()!r} follows a collection")
        return value
    if text[0] in _REFUSED:
        raise YamlRefused(f"line {line}: {text[0]} is not read")
    return Yaml(_unquote(text.strip()), line)


_FLOW_SCALAR = re.compile(
    r"""("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|(?:[^\[\]{},"'&*!|>:]|:(?!\s|$))*)\s*(?=[,\]}:])"""
)


def _flow(text: str, line: int, depth: int) -> tuple[Yaml, str]:
    """The collection that `text` begins with, and what follows it."""
    if depth > MAX_DEPTH:
        raise YamlRefused(f"line {line}: nested deeper than {MAX_DEPTH}")
    close = "]" if text[0] == "[" else "}"
    items: list[Yaml] = []
    pairs: dict[str, Yaml] = {}
    rest = text[1:].lstrip()
    while not rest.startswith(close):
        key, rest = _flow_item(rest, line, depth)
        if rest.startswith(":") and isinstance(key.value, str):
            value, rest = _flow_item(rest[1:].lstrip(), line, depth)
            pairs[key.value] = value
            if close == "]":
                items.append(Yaml({key.value: value}, line))
        elif close == "}":
            raise YamlRefused(f"line {line}: a key without a value")
        else:
            items.append(key)
        if rest.startswith(","):
            rest = rest[1:].lstrip()
        elif not rest.startswith(close):
            raise YamlRefused(f"line {line}: {close} was expected")
    return Yaml(items if close == "]" else pairs, line), rest[1:].lstrip()


def _flow_item(text: str, line: int, depth: int) -> tuple[Yaml, str]:
    if text[:1] in ("[", "{"):
        return _flow(text, line, depth + 1)
    match = _FLOW_SCALAR.match(text)
    if match is None:
        raise YamlRefused(f"line {line}: a collection is not read")
    return Yaml(_unquote(match[1].strip()), line), text[match.end() :]


def _unquote(text: str) -> str:
    if len(text) >= 2 and text[0] == text[-1] == "'":
        return text[1:-1].replace("''", "'")
    if len(text) >= 2 and text[0] == text[-1] == '"':
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return text
