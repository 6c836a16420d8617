"""From a path to certain formats, facts and a reader: where every verb begins."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from diskwright.errors import ImageUnsupported
from diskwright.formats.beneath import allowed_folder
from diskwright.formats.chain import OpenImage, resolve
from diskwright.formats.detect import extension_problem
from diskwright.formats.identity import check_identity, open_image
from diskwright.formats.inspect import allocated, format_of
from diskwright.formats.packed import format_inside, name_inside, packing_of
from diskwright.model.image import DiskFile, FileIdentity, ImageFacts, ImageFormat
from diskwright.ports import BlockExporter, BlockReader, Unpacker

CONNECTIONS = 3


@dataclass(frozen=True, slots=True)
class Source:
    """A disk that was looked at: in which file of the user's, of which files, and its facts."""

    origin: FileIdentity
    disk: DiskFile
    facts: ImageFacts

    @property
    def path(self) -> str:
        return self.origin.path

    def unchanged(self) -> None:
        """Raises SourceChanged if these are no longer the files that were looked at."""
        for identity in dict.fromkeys((self.origin, *self.disk.files())):
            check_identity(identity)


@dataclass(frozen=True, slots=True)
class ImageOpener:
    """How files are looked at, as `app` hands it over. `beneath` is a folder that the user allowed:
    what an image names is followed there, and nowhere else.
    """

    unpacker: Unpacker
    beneath: str | None = None

    @contextmanager
    def source(self, path: str, *, input_format: ImageFormat | None = None) -> Iterator[Source]:
        """Detect and parse, bounded, without any tool. What was unpacked for it is gone when the
        context is left. Of what is packed `input_format` chooses the content's format, but for raw:
        then the packed bytes are the disk. Raises InputError.
        """
        beneath = None if self.beneath is None else allowed_folder(self.beneath)
        with ExitStack() as stack:
            fd, origin = _opened(path, stack)
            packing = None if input_format is ImageFormat.RAW else packing_of(fd, origin)
            if packing is not None:
                yield self._unpacked(fd, origin, packing, input_format, stack)
                return
            found = format_of(fd, origin, requested=input_format)
            disk, facts = resolve(OpenImage(fd, origin), found, beneath=beneath)
            yield Source(origin, disk, facts)

    def _unpacked(
        self,
        packed_fd: int,
        origin: FileIdentity,
        packing: ImageFormat,
        input_format: ImageFormat | None,
        stack: ExitStack,
    ) -> Source:
        content = stack.enter_context(self.unpacker.unpacked(origin, packing))
        fd, content = _opened(content.path, stack)
        shown = origin.path
        found = format_inside(fd, content, packing, shown=shown, requested=input_format)
        image = OpenImage(fd, content, shown=shown, named=name_inside(shown))
        disk, facts = resolve(image, found)
        differs = extension_problem(shown, packing)
        facts = replace(
            facts,
            packed_in=packing,
            unpacked_size=content.size,
            file_size=origin.size,
            allocated=allocated(packed_fd),
            problems=facts.problems if differs is None else (*facts.problems, differs),
        )
        return Source(origin, disk, facts)


def _opened(path: str, stack: ExitStack) -> tuple[int, FileIdentity]:
    fd, identity = open_image(path)
    stack.callback(os.close, fd)
    return fd, identity


def look(path: str, *, input_format: ImageFormat | None = None) -> Source:
    """A file that stands alone, neither packed nor naming others. Raises InputError."""
    with ExitStack() as stack:
        fd, identity = _opened(path, stack)
        found = format_of(fd, identity, requested=input_format)
        disk, facts = resolve(OpenImage(fd, identity), found)
        return Source(identity, disk, facts)


@contextmanager
def reading(source: Source, exporter: BlockExporter) -> Iterator[BlockReader]:
    """The guest's bytes. The files are those that were looked at, and are exported whole.

    qemu drops the tail of a virtual disk that is no multiple of 512 bytes: such an export is
    shorter than the header says and is refused.
    """
    with exporter.open(source.disk, connections=CONNECTIONS) as reader:
        source.unchanged()
        if reader.size != source.facts.virtual_size:
            raise ImageUnsupported(
                source.disk.name,
                "size-unaligned",
                f"its header says {source.facts.virtual_size} bytes, {reader.size} can be read",
            )
        yield reader
