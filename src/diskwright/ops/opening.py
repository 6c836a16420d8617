"""From a path to certain formats, facts and a reader: where every verb begins."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from diskwright.errors import ImageUnsupported, UsageError
from diskwright.formats.beneath import allowed_folder
from diskwright.formats.chain import OpenImage, resolve
from diskwright.formats.detect import decide, detect, extension_problem
from diskwright.formats.identity import check_identity, open_image
from diskwright.formats.inspect import allocated, format_of
from diskwright.formats.ova import read_package
from diskwright.formats.packed import format_inside, name_inside, packing_of
from diskwright.formats.source import ImageSource
from diskwright.model.image import DiskFile, FileIdentity, ImageFacts, ImageFormat, Problem
from diskwright.model.iso import IsoFacts
from diskwright.model.package import PackageFacts
from diskwright.ops.iso import IsoReader
from diskwright.ports import BlockExporter, BlockReader, Unpacker

CONNECTIONS = 3


@dataclass(frozen=True, slots=True)
class Source:
    """A disk that was looked at: in which file of the user's, of which files, and its facts."""

    origin: FileIdentity
    disk: DiskFile
    facts: ImageFacts
    iso: IsoFacts | None = None
    package: PackageFacts | None = None  # that it is a disk of
    name: str = ""  # in that package

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
    isos: IsoReader
    beneath: str | None = None

    @contextmanager
    def source(
        self, path: str, *, input_format: ImageFormat | None = None, disk: int | None = None
    ) -> Iterator[Source]:
        """The one disk of a file; of a package with several the one numbered `disk`, from 1.

        As `disks`. Raises UsageError where it does not say which.
        """
        with self.disks(path, input_format=input_format) as found:
            yield _chosen(path, found, disk)

    @contextmanager
    def disks(
        self, path: str, *, input_format: ImageFormat | None = None
    ) -> Iterator[tuple[Source, ...]]:
        """Detect and parse, bounded, without any tool; an ISO in its confined child. What was
        unpacked for it is gone when the context is left. Of what is packed `input_format` chooses
        the content's format, but for raw: then the packed bytes are the disk. Raises InputError.
        """
        beneath = None if self.beneath is None else allowed_folder(self.beneath)
        with ExitStack() as stack:
            fd, origin = _opened(path, stack)
            packing = None if input_format is ImageFormat.RAW else packing_of(fd, origin)
            if packing is not None:
                yield (self._unpacked(fd, origin, packing, input_format, stack),)
                return
            found = format_of(fd, origin, requested=input_format)
            if found is ImageFormat.OVA:
                yield tuple(_package(fd, origin))
                return
            disk, facts = resolve(OpenImage(fd, origin), found, beneath=beneath)
            yield (self._with_iso(fd, Source(origin, disk, facts)),)

    def _with_iso(self, fd: int, source: Source) -> Source:
        """Of an ISO also what is in it, and what is wrong with that. Raises ImageRefused.

        Its bytes are a disk's, whatever kind of volume is in them.
        """
        if source.facts.format is not ImageFormat.ISO:
            return source
        iso = None
        try:
            iso = self.isos.facts(fd, replace(source.disk.identity, path=source.disk.name))
            found = iso.problems
        except ImageUnsupported as error:
            found = (Problem(error.code, error.detail),)
        problems = (*source.facts.problems, *found)
        return replace(source, iso=iso, facts=replace(source.facts, problems=problems))

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
        return self._with_iso(fd, Source(origin, disk, facts))


def _package(fd: int, origin: FileIdentity) -> Iterator[Source]:
    """The disks of an OVA, each where it lies in it. Raises ImageRefused."""
    package = read_package(ImageSource(fd, origin.path, origin.size))
    for member in package.disks:
        shown = f"{origin.path}: {member.name}"
        matches = detect(fd, member.size, base=member.offset)
        found = decide(shown, member.size, matches)
        image = OpenImage(fd, origin, member.offset, member.size, shown, member.name)
        disk, facts = resolve(image, found)
        problems = (*facts.problems, *package.problems)
        if member.capacity != facts.virtual_size:
            detail = f"{facts.virtual_size} bytes, of which the package says {member.capacity}"
            problems = (*problems, Problem("capacity-differs", detail))
        yield Source(
            origin,
            disk,
            replace(facts, problems=problems),
            package=package,
            name=member.name,
        )


def _chosen(path: str, found: tuple[Source, ...], disk: int | None) -> Source:
    if disk is None and len(found) == 1:
        return found[0]
    names = ", ".join(f"{number} {one.name}".rstrip() for number, one in enumerate(found, 1))
    if disk is None:
        raise UsageError(f"{path}: holds {len(found)} disks", f"say --disk NUMBER: {names}")
    if not 1 <= disk <= len(found):
        raise UsageError(f"{path}: has no disk {disk}", f"there is: {names}")
    return found[disk - 1]


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
