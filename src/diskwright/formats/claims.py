"""Which units of a file are taken: so that no two tables, and no two clusters, share one.

A byte a unit, and whole runs at a time: a table of clusters that lie in a row costs one step.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable, Iterator
from itertools import compress, islice, repeat
from operator import ne, sub

from diskwright.formats import limits
from diskwright.formats.source import ImageSource
from diskwright.model.units import format_size

_TAKEN = 1
_SHARED = 2  # by packed clusters, several of which may lie in one unit


class UnitClaims:
    """The units of `unit_bytes` that a file has, its last one perhaps in part.

    Raises ImageUnsupported, `table-too-large`, for a file of more than limits.CLAIM_UNITS of them,
    and later for one in more than limits.CLAIM_RUNS pieces.
    """

    def __init__(self, source: ImageSource, unit_bytes: int) -> None:
        count = -(-source.size // unit_bytes)
        if count > limits.CLAIM_UNITS:
            detail = f"{format_size(source.size)} in clusters of {format_size(unit_bytes)}"
            raise source.unsupported("table-too-large", detail)
        self._source = source
        self._unit_bytes = unit_bytes
        self._units = bytearray(count)
        self._runs = 0

    def claim(self, units: Iterable[int]) -> int | None:
        """Take each, of this file, for one use. Returns one that is taken already, or None."""
        for start, end in self._runs_of(units):
            if end - start == 1:
                if self._units[start]:
                    return start
                self._units[start] = _TAKEN
                continue
            if self._units.count(0, start, end) < end - start:
                return next(unit for unit in range(start, end) if self._units[unit])
            self._units[start:end] = bytes([_TAKEN]) * (end - start)
        return None

    def claim_bytes(self, offset: int, length: int) -> int | None:
        """Take all units of `[offset, offset + length)`, which the file has."""
        return self.claim(
            range(offset // self._unit_bytes, -(-(offset + length) // self._unit_bytes))
        )

    def share(self, units: Iterable[int]) -> int | None:
        """Take each, which come once, together with others that share it."""
        for start, end in self._runs_of(units):
            taken = self._units.find(_TAKEN, start, end)
            if taken >= 0:
                return taken
            self._units[start:end] = bytes([_SHARED]) * (end - start)
        return None

    def close_shared(self) -> None:
        """What was shared until now is taken from here on."""
        self._units = self._units.replace(bytes([_SHARED]), bytes([_TAKEN]))

    def _runs_of(self, units: Iterable[int]) -> Iterator[tuple[int, int]]:
        ordered = sorted(units)
        if not ordered:
            return
        steps = map(sub, islice(ordered, 1, None), ordered)
        starts = [0, *compress(range(1, len(ordered)), map(ne, steps, repeat(1)))]
        self._runs += len(starts)
        if self._runs > limits.CLAIM_RUNS:
            detail = f"its clusters lie in more than {limits.CLAIM_RUNS} pieces"
            raise self._source.unsupported("table-too-large", detail)
        for first, after in zip(starts, [*starts[1:], len(ordered)], strict=True):
            yield ordered[first], ordered[first] + after - first


def little_endian(code: str, piece: bytes) -> array[int]:
    """The entries of a table: `code` is `I` for 32 bits, `Q` for 64."""
    return _entries(code, piece, "little")


def big_endian(code: str, piece: bytes) -> array[int]:
    return _entries(code, piece, "big")


def _entries(code: str, piece: bytes, order: str) -> array[int]:
    table = array(code, piece)
    if order != sys.byteorder:
        table.byteswap()
    return table
