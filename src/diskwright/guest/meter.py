"""What it takes to read one disk."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager

from diskwright.guest.source import Source
from diskwright.model.cost import ReadingCost, Stage
from diskwright.model.guest import Section
from diskwright.model.units import KIB


class Meter:
    """Counts from when it is made."""

    def __init__(self) -> None:
        self._began = time.perf_counter()
        self._source: Source | None = None
        self._stages: dict[Section, float] = {}

    def watch(self, source: Source) -> None:
        self._source = source

    @contextmanager
    def stage(self, section: Section) -> Iterator[None]:
        """What runs inside is for `section`; not within another one's."""
        began = time.perf_counter()
        try:
            yield
        finally:
            took = time.perf_counter() - began
            self._stages[section] = self._stages.get(section, 0.0) + took

    def cost(self) -> ReadingCost:
        """Up to now."""
        source = self._source
        return ReadingCost(
            bytes_read=source.bytes_fetched if source else 0,
            reads=source.fetches if source else 0,
            microseconds=_micro(time.perf_counter() - self._began),
            stages=tuple(Stage(s, _micro(seconds)) for s, seconds in self._stages.items()),
            peak_memory=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIB,
        )


def _micro(seconds: float) -> int:
    return round(seconds * 1e6)
