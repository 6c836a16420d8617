"""What differs between two JSON values, field by field."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from diskwright.model.canonical import encode as encode_canonical
from diskwright.model.difference import Change, FactChange

# What tells the members of a list apart, where every one has it and no two the same
_NAMES = ("path", "number", "partition", "mount_point", "name", "version", "file", "section", "id")


def differing_facts(a: object, b: object, path: str) -> Iterator[FactChange]:
    """In the order of the fields. What was null, or is, is changed as a whole."""
    if isinstance(a, dict) and isinstance(b, dict):
        yield from _of_objects(a, b, path)
    elif isinstance(a, list) and isinstance(b, list):
        yield from _of_lists(a, b, path)
    elif a != b:
        yield FactChange(Change.CHANGED, path, a, b)


def _of_objects(
    a: Mapping[str, object], b: Mapping[str, object], path: str
) -> Iterator[FactChange]:
    for key in dict.fromkeys((*a, *b)):
        where = f"{path}.{key}"
        if key not in b:
            yield FactChange(Change.REMOVED, where, before=a[key])
        elif key not in a:
            yield FactChange(Change.ADDED, where, after=b[key])
        else:
            yield from differing_facts(a[key], b[key], where)


def _of_lists(a: Sequence[object], b: Sequence[object], path: str) -> Iterator[FactChange]:
    objects = [item for item in (*a, *b) if isinstance(item, dict)]
    if a == b:
        return
    if len(objects) == len(a) + len(b):
        yield from _of_members(a, b, path, _name(a, b))
    elif objects:
        yield FactChange(Change.CHANGED, path, a, b)
    else:
        yield from _of_words(a, b, path)


def _name(a: Sequence[object], b: Sequence[object]) -> str | None:
    """Of a field by which the members of both lists can be found again."""
    for name in _NAMES:
        if all(_is_told_apart(items, name) for items in (a, b)):
            return name
    return None


def _is_told_apart(items: Sequence[object], name: str) -> bool:
    values = [item.get(name) for item in items if isinstance(item, dict)]
    words = {value for value in values if isinstance(value, str | int)}
    return len(words) == len(values)


def pairs(
    a: Sequence[dict[str, Any]], b: Sequence[dict[str, Any]]
) -> Iterator[tuple[int, dict[str, Any], dict[str, Any]]]:
    """The members that are in both, by the index in `a`, as `differing_facts` finds them again."""
    name = _name(a, b)
    after = {key: index for key, (index, _) in _named(b, name).items()}
    for key, (index, _) in _named(a, name).items():
        if key in after:
            yield index, a[index], b[after[key]]


def _of_members(
    a: Sequence[object], b: Sequence[object], path: str, name: str | None
) -> Iterator[FactChange]:
    """Members are the same ones by `name`, without one by their place."""
    before, after = _named(a, name), _named(b, name)
    for key, (index, item) in before.items():
        where = f"{path}.{index}"
        if key in after:
            yield from differing_facts(item, after[key][1], where)
        else:
            yield FactChange(Change.REMOVED, where, before=item)
    for key, (index, item) in after.items():
        if key not in before:
            yield FactChange(Change.ADDED, f"{path}.{index}", after=item)


def _named(items: Sequence[object], name: str | None) -> dict[object, tuple[int, object]]:
    return {
        item[name] if name is not None and isinstance(item, dict) else index: (index, item)
        for index, item in enumerate(items)
    }


def _of_words(a: Sequence[object], b: Sequence[object], path: str) -> Iterator[FactChange]:
    """Lists of words or numbers: what is gone and what is new, else their order."""
    before, after = (Counter(map(encode_canonical, items)) for items in (a, b))
    gone, new = before - after, after - before
    if not gone and not new:
        yield FactChange(Change.CHANGED, path, a, b)
        return
    for items, change, field in ((a, Change.REMOVED, gone), (b, Change.ADDED, new)):
        left = Counter(field)
        for item in items:
            key = encode_canonical(item)
            if left[key] > 0:
                left[key] -= 1
                yield (
                    FactChange(change, path, before=item)
                    if change is Change.REMOVED
                    else FactChange(change, path, after=item)
                )
