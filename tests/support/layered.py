"""Disks stored as deltas, for tests: files of a chain, and what a reader makes of them."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from diskwright.adapters.file_sink import FileSink
from diskwright.adapters.qemu_nbd import QemuNbdExporter
from diskwright.blockio.digest import digest_reader
from diskwright.model.image import ImageFormat
from diskwright.model.nulls import NeverCancelled, NullProgress
from diskwright.model.stored import Layout
from diskwright.ops.library.deltas import composed, flattened
from diskwright.ops.opening import Source, look
from diskwright.ports import BlockReader, FormatWriter
from diskwright.writers.qcow2_delta import Qcow2DeltaWriter


def written(writer: FormatWriter, reader: BlockReader, path: Path) -> Layout:
    """The file that a writer makes, and what its plan promised."""
    layout = writer.plan(reader.extents(0, reader.size))
    with FileSink(str(path), force=True) as sink, closing(writer.chunks(reader)) as chunks:
        for chunk in chunks:
            sink.write(chunk)
        sink.finish()
    return layout


def delta(reader: BlockReader, base: BlockReader, path: Path, *, compressed: bool = True) -> Layout:
    writer = Qcow2DeltaWriter(base=base, virtual_size=reader.size, compressed=compressed, threads=2)
    return written(writer, reader, path)


def chained(*paths: Path) -> Source:
    """The top one first."""
    return composed([look(str(path)) for path in paths])


def whole(
    disk: Source, digest: str, path: Path, *, image_format: ImageFormat = ImageFormat.QCOW2
) -> None:
    """Flattened into a file that is there whole or not at all."""
    with (
        flattened(
            disk,
            digest,
            image_format=image_format,
            compressed=False,
            exporter=QemuNbdExporter(),
            threads=2,
            progress=NullProgress(),
            cancel=NeverCancelled(),
        ) as made,
        FileSink(str(path), force=True) as sink,
    ):
        for chunk in made.chunks:
            sink.write(chunk)
        sink.finish()


def dw1(reader: BlockReader) -> str:
    return digest_reader(reader, threads=2)
