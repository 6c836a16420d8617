"""From a path to a certain format, facts and a reader: where every verb begins."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from diskwright.errors import ImageUnsupported
from diskwright.formats.identity import check_identity, open_image
from diskwright.formats.inspect import inspect_image
from diskwright.model.image import FileIdentity, ImageFacts, ImageFormat
from diskwright.ports import BlockExporter, BlockReader

CONNECTIONS = 3


@dataclass(frozen=True, slots=True)
class Source:
    """An image file that was looked at: which file it is, and what it says of itself."""

    identity: FileIdentity
    facts: ImageFacts

    @property
    def path(self) -> str:
        return self.identity.path

    def unchanged(self) -> None:
        """Raises SourceChanged if it is no longer the file that was looked at."""
        check_identity(self.identity)


def look(path: str, *, input_format: ImageFormat | None = None) -> Source:
    """Detect and parse, bounded, without any tool. Raises InputError."""
    fd, identity = open_image(path)
    try:
        return Source(identity, inspect_image(fd, identity, requested=input_format))
    finally:
        os.close(fd)


@contextmanager
def reading(source: Source, exporter: BlockExporter) -> Iterator[BlockReader]:
    """The guest's bytes. The file is the one that was looked at, and is exported whole.

    qemu drops the tail of a virtual disk that is no multiple of 512 bytes: such an export is
    shorter than the header says and is refused.
    """
    with exporter.open(source.identity, source.facts.format, connections=CONNECTIONS) as reader:
        source.unchanged()
        if reader.size != source.facts.virtual_size:
            raise ImageUnsupported(
                source.identity.path,
                "size-unaligned",
                f"its header says {source.facts.virtual_size} bytes, {reader.size} can be read",
            )
        yield reader
