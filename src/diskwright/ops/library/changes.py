"""Hints that an image changes, so that a sync costs as much as there was changed.

An empty object `changes/<day>/<time>-<image id>-<seq>` is put before the record of that number (0:
before the manifest; `gone`: before the manifest is removed). A reader whose catalog has that number
already need not look. Times are of the writer's clock.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from diskwright._values import Struct
from diskwright.model.names import is_uuid
from diskwright.model.times import day_text, time_text
from diskwright.ports import ObjectStore

CHANGES = "changes/"
GONE = "gone"
# A hint is looked at once more until it is so old: a writer's clock may be 15 minutes off (S3
# refuses more), and its record come some time after the hint
OVERLAP_S = 30 * 60
KEPT_S = 30 * 86400  # then `gc` removes it
_DAY = 86400
_HINT = re.compile(
    r"changes/(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})/(?P<h>[0-9]{2})(?P<m>[0-9]{2})(?P<s>[0-9]{2})"
    r"-(?P<image>.{36})-(?P<number>[0-9]{8}|gone)"
)


class Hint(Struct, frozen=True):
    """`seq` is None where the image was about to go."""

    key: str
    time: str
    image: str
    seq: int | None


def announce(store: ObjectStore, image_id: str, seq: int | None, now: float) -> None:
    """To be called before the change itself is put."""
    text = time_text(int(now))
    number = GONE if seq is None else f"{seq:08d}"
    clock = text[11:19].replace(":", "")
    store.put(f"{CHANGES}{text[:10]}/{clock}-{image_id}-{number}", b"")


def since(store: ObjectStore, before: float, now: float) -> Iterator[Hint]:
    """Hints that may be newer than what a sync at `before` has seen."""
    first = before - OVERLAP_S
    oldest = time_text(int(first))
    day = first // _DAY * _DAY
    while day <= now + _DAY:  # others' clocks may be ahead
        for info in store.list(f"{CHANGES}{day_text(day)}/"):
            hint = parsed(info.key)
            if hint is not None and hint.time >= oldest:
                yield hint
        day += _DAY


def everything(store: ObjectStore) -> Iterator[Hint]:
    for info in store.list(CHANGES):
        hint = parsed(info.key)
        if hint is not None:
            yield hint


def parsed(key: str) -> Hint | None:
    """None for what is no hint."""
    match = _HINT.fullmatch(key)
    if match is None or not is_uuid(match["image"]):
        return None
    time = f"{match['day']}T{match['h']}:{match['m']}:{match['s']}Z"
    number = match["number"]
    return Hint(key, time, match["image"], None if number == GONE else int(number))
