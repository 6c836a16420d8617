"""VHDX, fixed and dynamic: headers, regions, metadata and block table, read whole."""

from __future__ import annotations

from collections.abc import Iterator

from diskwright.formats.source import ImageSource
from diskwright.formats.text import told
from diskwright.formats.vhdx import layout
from diskwright.formats.vhdx.blocks import check_blocks, data_runs
from diskwright.formats.vhdx.header import read_header, read_regions
from diskwright.formats.vhdx.metadata import read_metadata
from diskwright.model.image import ImageFacts, ImageFormat


def read_facts(source: ImageSource) -> ImageFacts:
    """Facts of a VHDX file. Where a log is to be replayed first, it is refused."""
    if source.size < layout.HEADER_SECTION_BYTES:
        raise source.broken("truncated", f"{source.size} bytes, less than a VHDX file's headers")
    start = source.read(0, layout.CREATOR_AT + layout.CREATOR_BYTES)
    if not start.startswith(layout.IDENTIFIER):
        raise source.broken("header-inconsistent", "it does not begin as a VHDX file", 0)
    header = read_header(source)
    bat, metadata, claimed = read_regions(source, header)
    disk = read_metadata(source, metadata)
    check_blocks(source, disk, bat, claimed)
    return ImageFacts(
        format=ImageFormat.VHDX,
        virtual_size=disk.virtual_size,
        file_size=source.size,
        exact_size=disk.virtual_size,
        cluster_size=disk.block_size,
        version=header.version,
        subformat="fixed" if disk.fixed else "dynamic",
        creator=told(start[layout.CREATOR_AT :].decode("utf-16-le", "replace")),
    )


def read_data_runs(source: ImageSource) -> Iterator[tuple[int, int]]:
    """`(start, end)` in bytes of the disk, ascending: where it has data. The rest reads as zeros.

    Of a file that `read_facts` took. Raises ImageRefused.
    """
    bat, metadata, _ = read_regions(source, read_header(source))
    yield from data_runs(source, read_metadata(source, metadata), bat)
