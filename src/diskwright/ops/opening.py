"""From a path to certain formats, facts and a reader: where every verb begins."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from diskwright._values import Struct, replace
from diskwright.errors import ImageBroken, ImageUnsupported, UsageError
from diskwright.formats.beneath import allowed_folder
from diskwright.formats.chain import OpenImage, resolve
from diskwright.formats.detect import decide, detect, extension_problem
from diskwright.formats.identity import check_identity, open_image
from diskwright.formats.inspect import allocated, format_of
from diskwright.formats.packed.container import format_inside, name_inside, packing_of
from diskwright.formats.source import ImageSource
from diskwright.model.image import DiskFile, FileIdentity, ImageFacts, ImageFormat, Problem
from diskwright.model.iso import IsoFacts
from diskwright.model.package import PackageFacts
from diskwright.ops.iso import IsoReader
from diskwright.ports import BlockExporter, BlockReader, Unpacker

CONNECTIONS = 3


class Source(Struct, frozen=True):
    """A disk that was looked at: in which file of the user's, of which files, and its facts."""

    origin: FileIdentity
    disk: DiskFile
    facts: ImageFacts
    iso: IsoFacts | None = None
    package: PackageFacts | None = None  # that it is a disk of
    name: str = ""  # in that package
    number: int = 1  # in that package, from 1

    @property
    def path(self) -> str:
        return self.origin.path

    @property
    def further(self) -> bool:
        """A package's disk behind the first: one for data."""
        return self.number > 1

    @property
    def package_verified(self) -> bool | None:
        """Whether its package has a digest of it that was found to hold; None: it is in none."""
        if self.package is None:
            return None
        listed = {digest.name for digest in self.package.digests}
        return self.package.digests_verified and self.name in listed

    def unchanged(self) -> None:
        """Raises SourceChanged if these are no longer the files that were looked at."""
        for identity in dict.fromkeys((self.origin, *self.disk.files())):
            check_identity(identity)


class ImageOpener(Struct, frozen=True):
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
        with self._disks(path, input_format, disk, alone=True) as found:
            yield found[0]

    def names(self, path: str, *, input_format: ImageFormat | None = None) -> tuple[str, ...]:
        """Of a package's disks, in order; of any other file one empty name. No disk is parsed, and
        nothing unpacked. Raises InputError.
        """
        with ExitStack() as stack:
            fd, origin = _opened(path, stack)
            if _kind(fd, origin, input_format)[1] is not ImageFormat.OVA:
                return ("",)
            return _names(_package(fd, origin))

    @contextmanager
    def disks(
        self, path: str, *, input_format: ImageFormat | None = None, disk: int | None = None
    ) -> Iterator[tuple[Source, ...]]:
        """Detect and parse, bounded, without any tool; an ISO in its confined child. What was
        unpacked for it is gone when the context is left. Of what is packed `input_format` chooses
        the content's format, but for raw: then the packed bytes are the disk. With `disk` the one
        of that number, from 1, and no other is parsed. Raises InputError, UsageError.
        """
        with self._disks(path, input_format, disk, alone=False) as found:
            yield found

    @contextmanager
    def _disks(
        self, path: str, input_format: ImageFormat | None, disk: int | None, *, alone: bool
    ) -> Iterator[tuple[Source, ...]]:
        """As `disks`; `alone` wants one of them."""
        beneath = None if self.beneath is None else allowed_folder(self.beneath)
        with ExitStack() as stack:
            fd, origin = _opened(path, stack)
            packed, found = _kind(fd, origin, input_format)
            if packed:
                _check_number(path, ("",), disk)
                yield (self._unpacked(fd, origin, found, input_format, stack),)
                return
            if found is ImageFormat.OVA:
                package = _package(fd, origin)
                _check_number(path, _names(package), disk, alone=alone)
                numbers = range(1, len(package.disks) + 1) if disk is None else (disk,)
                yield tuple(_member(fd, origin, package, number) for number in numbers)
                return
            _check_number(path, ("",), disk)
            if found is ImageFormat.RAW and input_format is None:
                _refuse_misnamed(path)
            file, facts = resolve(OpenImage(fd, origin), found, beneath=beneath)
            yield (self._with_iso(fd, Source(origin, file, facts)),)

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


def _kind(
    fd: int, origin: FileIdentity, input_format: ImageFormat | None
) -> tuple[bool, ImageFormat]:
    """Whether it is packed, and how; else its format."""
    matches = detect(fd, origin.size)
    packing = None if input_format is ImageFormat.RAW else packing_of(matches)
    if packing is not None:
        return True, packing
    return False, decide(origin.path, origin.size, matches, requested=input_format)


def _member(fd: int, origin: FileIdentity, package: PackageFacts, number: int) -> Source:
    """A disk of an OVA where it lies in it, numbered from 1. Raises ImageRefused."""
    member = package.disks[number - 1]
    shown = f"{origin.path}: {member.name}"
    found = decide(shown, member.size, detect(fd, member.size, base=member.offset))
    image = OpenImage(fd, origin, member.offset, member.size, shown, member.name)
    disk, facts = resolve(image, found)
    problems = (*facts.problems, *package.problems)
    if member.capacity != facts.virtual_size:
        detail = f"{facts.virtual_size} bytes, of which the package says {member.capacity}"
        problems = (*problems, Problem("capacity-differs", detail))
    facts = replace(facts, problems=problems, allocated=None)  # which is the whole package's
    return Source(origin, disk, facts, package=package, name=member.name, number=number)


def _package(fd: int, origin: FileIdentity) -> PackageFacts:
    from diskwright.formats.package.ova import read_package

    return read_package(ImageSource(fd, origin.path, origin.size))


def _names(package: PackageFacts) -> tuple[str, ...]:
    return tuple(member.name for member in package.disks)


def _check_number(
    path: str, names: tuple[str, ...], disk: int | None, *, alone: bool = False
) -> None:
    if alone and disk is None and len(names) > 1:
        hint = f"say --disk NUMBER: {_listed(names)}"
        raise UsageError(f"{path}: holds {len(names)} disks", hint)
    if disk is not None and not 1 <= disk <= len(names):
        raise UsageError(f"{path}: has no disk {disk}", f"there is: {_listed(names)}")


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f"{number} {name}".rstrip() for number, name in enumerate(names, 1))


def _refuse_misnamed(path: str) -> None:
    """What has no sign of its own is a raw disk, or the rest of the file that its name promises."""
    differs = extension_problem(path, ImageFormat.RAW)
    if differs is not None:
        raise ImageBroken(
            path,
            differs.code,
            f"{differs.detail}, or cut, or no disk at all",
            hint_text="get the file again; if it is a raw disk all the same: --input-format raw",
        )


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
