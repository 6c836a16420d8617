"""The virtual disk byte by byte; holes and blocks of zeros stay holes."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import closing

from diskwright.blockio.copy import Window, bytes_to_read, read_windows
from diskwright.model.extent import Extent
from diskwright.model.image import ImageFormat
from diskwright.model.stored import Chunk, Layout
from diskwright.model.units import KIB
from diskwright.ports import BlockReader

_BLOCK = 64 * KIB
_ZEROS = bytes(_BLOCK)


class RawWriter:
    """A `FormatWriter`. What reads as zeros is a gap, down to whole blocks of 64 KiB."""

    def __init__(self, *, virtual_size: int, threads: int) -> None:
        self._size = virtual_size
        self._threads = threads

    def plan(self, extents: Iterable[Extent]) -> Layout:
        return Layout(
            format=ImageFormat.RAW,
            virtual_size=self._size,
            size_limit=self._size,
            data_bytes=bytes_to_read(extents, self._size),
        )

    def chunks(self, reader: BlockReader) -> Generator[Chunk, None, None]:
        if reader.size != self._size:
            raise ValueError(f"a disk of {reader.size} bytes, planned for {self._size}")

        def read(window: Window) -> list[Chunk]:
            buffer = bytearray(window.length)  # new for each window: its bytes go on to the sink
            view = memoryview(buffer)
            reader.read_into(window.start, view)
            return [
                Chunk(window.start + start, view[start:end])
                for start, end in _stretches_of_data(buffer)
            ]

        with closing(read_windows(reader, read, threads=self._threads)) as windows:
            for chunks in windows:
                yield from chunks
        yield Chunk(self._size, b"")


def _stretches_of_data(buffer: bytearray) -> Iterator[tuple[int, int]]:
    """`(start, end)` of the longest stretches without a block of zeros."""
    begin: int | None = None
    for start in range(0, len(buffer), _BLOCK):
        if buffer.startswith(_ZEROS[: len(buffer) - start], start):
            if begin is not None:
                yield begin, start
            begin = None
        elif begin is None:
            begin = start
    if begin is not None:
        yield begin, len(buffer)
