"""What differs between two images, as text and as a value for JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from diskwright.model import codec
from diskwright.model.difference import (
    Change,
    Differences,
    FactChange,
    FileChange,
    FileState,
    NotCompared,
    PackageChange,
)
from diskwright.model.examined import EntryKind
from diskwright.model.text import printable
from diskwright.model.units import format_size

_KEY_WIDTH = 13
_MOST = 100  # characters of a fact
_SIGNS = {Change.ADDED: "+", Change.REMOVED: "-", Change.CHANGED: "~"}


def difference_value(found: Differences) -> dict[str, Any]:
    """The fields by their names."""
    value: dict[str, Any] = codec.encode(found)
    return value


def difference_text(found: Differences, a: str, b: str) -> str:
    """`a` and `b` as they were named. A line for each change: + added, - removed, ~ changed."""
    rows = [("a", _named(a, found.name_a)), ("b", _named(b, found.name_b))]
    rows += _under("facts", map(_fact, found.facts))
    rows += _under("packages", map(_package, found.packages or ()))
    rows += _under("/etc", map(_file, found.configuration))
    rows += _under("files", map(_file, found.files or ()))
    rows += _under("not compared", _not_compared(found.not_compared))
    rows.append(("differ", _sum(found)))
    return "\n".join(f"{key:<{_KEY_WIDTH}}{printable(value)}" for key, value in rows)


def _named(image: str, disk: str) -> str:
    return f"{image}: {disk}" if disk else image


def _under(key: str, values: Iterable[str]) -> list[tuple[str, str]]:
    """The key beside the first value only."""
    return [(key if index == 0 else "", value) for index, value in enumerate(values)]


def _not_compared(every: Iterable[NotCompared]) -> Iterator[str]:
    """What is unread for one reason in one line, but files."""
    for (image, reason, path), those in groupby(every, _why):
        what = path or ", ".join(one.what for one in those)
        yield f"{image}: {what}: {reason}"


def _why(one: NotCompared) -> tuple[str, str, str]:
    return one.image, one.reason, one.what if one.what.startswith("/") else ""


def _sum(found: Differences) -> str:
    said = [
        _count(len(found.facts), "fact"),
        "packages unknown" if found.packages is None else _count(len(found.packages), "package"),
        f"{_count(len(found.configuration), 'file')} below /etc",
    ]
    if found.files is not None:
        said.append(f"{_count(len(found.files), 'other file')}")
    return ", ".join(said)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _fact(one: FactChange) -> str:
    head = f"{_SIGNS[one.change]} {one.path}: "
    if one.change is Change.ADDED:
        return head + _json(one.after)
    if one.change is Change.REMOVED:
        return head + _json(one.before)
    return f"{head}{_json(one.before)} -> {_json(one.after)}"


def _json(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _MOST else text[:_MOST] + "…"


def _package(one: PackageChange) -> str:
    versions = " -> ".join(filter(None, (one.before, one.after)))
    return f"{_SIGNS[one.change]} {one.name} {versions} ({one.kind}, {one.architecture})"


def _file(one: FileChange) -> str:
    head = f"{_SIGNS[one.change]} {one.path}"
    if one.before is None or one.after is None:
        state = one.before or one.after
        return head if state is None else f"{head}  {_state(state)}"
    said = []
    if one.content:
        before, after = _state(one.before), _state(one.after)
        said.append(f"{before} -> {after}" if before != after else f"{after}, other content")
    both_files = one.before.kind is one.after.kind is EntryKind.FILE
    if both_files and one.before.mode != one.after.mode:
        said.append(f"mode {one.before.mode:o} -> {one.after.mode:o}")
    return f"{head}  {'; '.join(said)}"


def _state(state: FileState) -> str:
    if state.kind is EntryKind.LINK:
        return f"link to {state.target}" if state.target is not None else "a link"
    return format_size(state.size)
