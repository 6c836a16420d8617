"""Where the bytes of a file are, once its file system's own way of saying so has been read."""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sized
from typing import Generic, TypeVar

from diskwright._values import Struct
from diskwright.guest.reading import damaged

MAX_RUNS = 500_000  # a 1 GiB file in blocks of 1 KiB, with every second one a hole

S = TypeVar("S", bound=Sized)


class Run(Struct, frozen=True):
    """`count` blocks of a file from `logical` on, stored from `physical` on. What lies between
    runs is a hole, and so reads one that is allocated but was not written."""

    logical: int
    physical: int
    count: int
    written: bool = True

    @property
    def end(self) -> int:
        return self.logical + self.count


class BlockMap:
    """The runs of one file, in order."""

    def __init__(self, runs: list[Run], total_blocks: int) -> None:
        self._runs = runs
        self._starts = [run.logical for run in runs]
        end = 0
        for run in runs:
            if run.logical < end or not 0 < run.count <= total_blocks - run.physical:
                raise damaged("extents overlap, or leave the file system")
            end = run.end

    def __iter__(self) -> Iterator[Run]:
        return iter(self._runs)

    def __len__(self) -> int:
        return len(self._runs)

    def within(self, first: int, last: int) -> Iterator[Run]:
        """The written runs that touch blocks `first` to `last`, in order."""
        for i in range(max(0, bisect_right(self._starts, first) - 1), len(self._runs)):
            run = self._runs[i]
            if run.logical > last:
                return
            if run.end > first and run.written:
                yield run

    def physical(self, logical: int) -> int | None:
        """The block where `logical` is stored; None for a hole."""
        return next((r.physical + logical - r.logical for r in self.within(logical, logical)), None)


class Remembered(Generic[S]):
    """What was made of the latest inodes: at most `most` items in all of them, or one of them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[int, S] = OrderedDict()
        self._items = 0

    def get(self, number: int, make: Callable[[], S]) -> S:
        found = self._kept.get(number)
        if found is None:
            found = self._kept[number] = make()
            self._items += len(found) + 1  # an empty one takes room as well
            while len(self._kept) > 1 and self._items > self._most:
                self._items -= len(self._kept.popitem(last=False)[1]) + 1
        return found

    def clear(self) -> None:
        self._kept.clear()
        self._items = 0
