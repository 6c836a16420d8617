"""qcow2 in one forward pass: version 3, plain or compressed, without internal snapshots."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import closing

from diskwright.blockio.copy import Window, read_windows
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


class Qcow2Writer:
    """A `FormatWriter`. Clusters of zeros are never written, whatever the extents say.

    `virtual_size` is a multiple of 512 up to 64 TiB. A cluster that does not get smaller is stored
    plain. A chunk is what became of one window: about 1 MiB or more where the disk is full.
    """

    def __init__(self, *, virtual_size: int, compressed: bool, threads: int) -> None:
        check_size(virtual_size)
        self._size = virtual_size
        self._compressed = compressed
        self._threads = threads

    def plan(self, extents: Iterable[Extent]) -> Layout:
        """The bound holds for data that does not compress at all."""
        return layout_of(extents, self._size)

    def chunks(self, reader: BlockReader) -> Generator[Chunk, None, None]:
        if reader.size != self._size:
            raise ValueError(f"a disk of {reader.size} bytes, planned for {self._size}")

        def choose(window: Window, buffer: bytearray) -> Chosen:
            return Chosen(clusters_with_data(buffer, read_whole(reader, window, buffer)), [])

        pack = packer(choose, compressed=self._compressed)
        with closing(read_windows(reader, pack, threads=self._threads)) as windows:
            yield from file_of(self._size, windows)
