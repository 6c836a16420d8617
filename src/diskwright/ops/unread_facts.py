"""What differs between the facts of two guests; what was not read of either is no difference."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from diskwright.model import codec
from diskwright.model.difference import Change, FactChange, NotCompared
from diskwright.model.guest import GuestFacts, InitramfsState, Section
from diskwright.model.sections import FIELDS, unread_fields
from diskwright.ops.differing_facts import differing_facts, pairs

_GUEST = "guest"
_EMPTY: tuple[object, ...] = (None, "", [], {})
_READ_IN_PART = (Section.BOOT,)  # lists may lack members, all others are whole or empty
_NOT_DEFAULT = "of a kernel that is not the default"


def differing_guests(
    a: GuestFacts, b: GuestFacts
) -> tuple[tuple[FactChange, ...], tuple[NotCompared, ...]]:
    """The changes, and all that was not read, whether or not the other image has it."""
    before, after = codec.encode(a), codec.encode(b)
    of_kernels = list(_level_kernels(before["kernels"] or [], after["kernels"] or []))
    for facts in (before, after):
        del facts["unread"]
    sides = (_Side("a", a, before), _Side("b", b, after))
    changes = tuple(
        change
        for change in differing_facts(before, after, _GUEST)
        if not any(side.hides(change) for side in sides)
    )
    return changes, (*sides[0].not_compared(), *sides[1].not_compared(), *of_kernels)


class _Side:
    def __init__(self, image: str, guest: GuestFacts, facts: dict[str, Any]) -> None:
        self._image, self._guest, self._facts = image, guest, facts
        self._hidden = {(one.section, FIELDS[one.section][0]) for one in guest.unread}

    def hides(self, change: FactChange) -> bool:
        """Whether this image lacks it, and may do so because it was not read."""
        first = self._image == "a"
        names = change.path.split(".")[1:]
        found = unread_fields(self._guest, names)
        if change.change is Change.CHANGED:
            lacks = _is_empty(change.before if first else change.after)
        else:
            lacks = change.change is (Change.ADDED if first else Change.REMOVED)
            if not _is_empty(self._list_of(names)):
                found = [one for one in found if one[0] in _READ_IN_PART]
        if lacks:
            self._hidden.update(found)
        return lacks and bool(found)

    def _list_of(self, names: list[str]) -> object:
        """Which a member was added to, or removed from."""
        place: Any = self._facts
        for name in names[:-1] if names[-1].isdecimal() else names:
            if isinstance(place, list):
                place = place[int(name)] if int(name) < len(place) else None
            elif isinstance(place, dict):
                place = place.get(name)
        return place

    def not_compared(self) -> Iterator[NotCompared]:
        """After all `hides`: an unread section, and what else is hidden by it."""
        found = (
            NotCompared(self._image, f"{_GUEST}.{field}", one.reason)
            for one in self._guest.unread
            for field in FIELDS[one.section]
            if (one.section, field) in self._hidden
        )
        yield from dict.fromkeys(found)


def _is_empty(value: object) -> bool:
    return value in _EMPTY


def _level_kernels(a: list[dict[str, Any]], b: list[dict[str, Any]]) -> Iterator[NotCompared]:
    """Of kernels that both have, and one of which was not read as far as the other, makes equal
    what can't be compared. Of one that is not the default little is read.
    """
    for index, kernel, other in pairs(a, b):
        for field in ("initramfs", "modules", "builtin"):
            reasons = [(i, _why(k, field)) for i, k in (("a", kernel), ("b", other))]
            if kernel[field] == other[field] or not any(why for _, why in reasons):
                continue
            other[field] = kernel[field]
            path = f"{_GUEST}.{Section.KERNELS}.{index}.{field}"
            yield from (NotCompared(image, path, why) for image, why in reasons if why)


def _why(kernel: dict[str, Any], field: str) -> str:
    """Why `field` is not known of it; else empty."""
    value = kernel[field]
    if field == "initramfs":
        unread = value is not None and value["state"] == InitramfsState.UNREAD
        return str(value["detail"]) if unread else ""
    if value is not None:
        return ""
    return "could not be read" if kernel["default"] or field == "builtin" else _NOT_DEFAULT
