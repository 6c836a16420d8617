"""A disk as what differs from another: a qcow2 of the clusters that a base does not have alike.

    base     AAAA BBBB ---- CCCC DDDD
    disk     AAAA bbbb EEEE ---- (ends)
    delta         bbbb EEEE 0000            0: reads as zeros, takes no room

It names no backing file: whoever reads it has to know what it rests on, and gives both.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from heapq import merge
from itertools import groupby

from diskwright.blockio.copy import WINDOW, ThreadBuffer, Touched, Window, ordered_map, windows
from diskwright.blockio.view import LongerView, ShorterView
from diskwright.model.extent import Extent
from diskwright.model.stored import Chunk, Layout
from diskwright.ports import BlockReader
from diskwright.writers.qcow2_packing import (
    Chosen,
    check_size,
    clusters_with_data,
    file_of,
    layout_of,
    packer,
    read_whole,
)
from diskwright.writers.qcow2_tables import CLUSTER, L2_SPAN

_ZEROS = bytes(CLUSTER)


class _Pair(Window, frozen=True):
    """A window in which the disk, the base or both of them have data; the other one is zeros."""

    ours: bool
    theirs: bool


class Qcow2DeltaWriter:
    """A `FormatWriter` of what differs from `base`, which the caller opens and closes.

    `virtual_size` is the disk's own, a multiple of 512 up to 64 TiB; the base may be smaller (then
    zeros follow it) or larger (then its end does not count). Where both have data both are read
    once, elsewhere the one that has. What has to be held is a window of each for every thread.
    """

    def __init__(
        self, *, base: BlockReader, virtual_size: int, compressed: bool, threads: int
    ) -> None:
        check_size(virtual_size)
        self._base = _of_size(base, virtual_size)
        self._size = virtual_size
        self._compressed = compressed
        self._threads = threads

    def plan(self, extents: Iterable[Extent]) -> Layout:
        """The bound holds for a disk that has nothing in common with its base. Progress counts what
        is read of the disk, not of the base.
        """
        tables = Touched(L2_SPAN)
        for extent in self._base.extents(0, self._size):
            if extent.is_data:
                tables.add(extent.start, extent.end)
        return layout_of(extents, self._size, further_tables=tables.count)

    def chunks(self, reader: BlockReader) -> Generator[Chunk, None, None]:
        if reader.size != self._size:
            raise ValueError(f"a disk of {reader.size} bytes, planned for {self._size}")
        base, base_buffers = self._base, ThreadBuffer(WINDOW)

        def choose(pair: _Pair, buffer: bytearray) -> Chosen:
            if not pair.theirs:
                return Chosen(clusters_with_data(buffer, read_whole(reader, pair, buffer)), [])
            theirs = base_buffers.get()
            end = read_whole(base, pair, theirs)
            if not pair.ours:
                return Chosen([], clusters_with_data(theirs, end))
            read_whole(reader, pair, buffer)
            return _differing(buffer, theirs, end)

        pack = packer(choose, compressed=self._compressed)
        pairs = _pairs(reader, base)
        ahead = 2 * self._threads + 1
        with closing(ordered_map(pairs, pack, threads=self._threads, ahead=ahead)) as packed:
            yield from file_of(self._size, packed)


def _of_size(base: BlockReader, size: int) -> BlockReader:
    return LongerView(base, size) if base.size < size else ShorterView(base, size)


def _pairs(reader: BlockReader, base: BlockReader) -> Iterator[_Pair]:
    def windows_of(disk: BlockReader, ours: bool) -> Iterator[tuple[Window, bool]]:
        return ((window, ours) for window in windows(disk.extents(0, disk.size), disk.size))

    both = merge(windows_of(reader, True), windows_of(base, False), key=lambda one: one[0].start)
    for window, found in groupby(both, key=lambda one: one[0]):
        whose = {ours for _, ours in found}
        yield _Pair(window.start, window.length, True in whose, False in whose)


def _differing(buffer: bytearray, theirs: bytearray, end: int) -> Chosen:
    """The clusters up to `end` that are not alike in both."""
    stored: list[int] = []
    zeros: list[int] = []
    if end == WINDOW and buffer == theirs:  # most of them: one comparison by memcmp
        return Chosen(stored, zeros)
    with memoryview(buffer) as view:
        for start in range(0, end, CLUSTER):
            cluster = bytes(view[start : start + CLUSTER])  # views are compared byte by byte
            if not theirs.startswith(cluster, start):
                (zeros if cluster == _ZEROS else stored).append(start)
    return Chosen(stored, zeros)
