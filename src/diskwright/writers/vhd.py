"""A fixed VHD in one forward pass: the virtual disk byte by byte, and a footer."""

from __future__ import annotations

import uuid
from collections.abc import Generator, Iterable

from diskwright.errors import UsageError
from diskwright.formats.vhd import layout
from diskwright.model.extent import Extent
from diskwright.model.image import Geometry, ImageFormat
from diskwright.model.stored import Chunk, Layout
from diskwright.ports import BlockReader
from diskwright.writers.raw import RawWriter

_CREATOR = b"dskw"
# "No geometry has room": who knows VHD goes by the current size then, which is exact. A geometry
# that is near would make QEMU and others believe it, and cut the disk's end off.
_GEOMETRY = Geometry(65535, 16, 255)


class FixedVhdWriter:
    """A `FormatWriter`. `virtual_size` is a multiple of 512 up to 2040 GiB, and kept exactly."""

    def __init__(self, *, virtual_size: int, threads: int) -> None:
        self._size = virtual_size
        self._raw = RawWriter(virtual_size=virtual_size, threads=threads)

    def plan(self, extents: Iterable[Extent]) -> Layout:
        raw = self._raw.plan(extents)
        size = self._size + layout.FOOTER_BYTES
        return Layout(ImageFormat.VHD, self._size, size, raw.data_bytes)

    def chunks(self, reader: BlockReader) -> Generator[Chunk, None, None]:
        """Raises UsageError for a disk that begins as a VHD does: nobody could read the file."""
        for chunk in self._raw.chunks(reader):
            if not chunk.data:  # the end of the disk
                continue
            if not chunk.offset and bytes(chunk.data[:8]) == layout.COOKIE:
                raise UsageError(
                    "the disk begins as a VHD does: a fixed VHD of it would be misread",
                    "use --subformat dynamic, or another format",
                )
            yield chunk
        footer = layout.Footer(
            version=layout.VERSION,
            data_offset=layout.NO_OFFSET,
            creator=_CREATOR,
            current_size=self._size,
            geometry=_GEOMETRY,
            kind=layout.FIXED,
        )
        yield Chunk(self._size, layout.encode_footer(footer, unique_id=uuid.uuid4().bytes))
