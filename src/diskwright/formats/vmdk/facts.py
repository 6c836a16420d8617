"""VMDK: a sparse file with its descriptor inside, a stream, or a text that names the disk's files.

QEMU reads the file after us. Where it looks at less than the descriptor says (extents that are not
writable, a second extent, a parent named elsewhere) the file is refused, and not cut short.
"""

from __future__ import annotations

import os
import re

from diskwright._values import replace
from diskwright.errors import ImageUnsupported
from diskwright.formats import limits
from diskwright.formats.source import ImageSource, shown
from diskwright.formats.text import told
from diskwright.formats.vmdk import layout
from diskwright.formats.vmdk.descriptor import (
    HINT,
    NO_PARENT,
    Descriptor,
    ExtentLine,
    names_in,
    parent_in,
    parse,
)
from diskwright.formats.vmdk.header import checked, decode
from diskwright.formats.vmdk.layout import Header
from diskwright.formats.vmdk.tables import check_tables
from diskwright.model.image import (
    Geometry,
    ImageFacts,
    ImageFormat,
    Problem,
    Reference,
    ReferenceKind,
)
from diskwright.model.units import SECTOR, format_size

_CODE = "header-inconsistent"
_EMBEDDED = ("monolithicSparse", "streamOptimized")
_READ = ("monolithicFlat", "twoGbMaxExtentFlat", "twoGbMaxExtentSparse", "vmfs")  # by QEMU
_FORMATS = {"FLAT": ImageFormat.RAW, "VMFS": ImageFormat.RAW, "SPARSE": ImageFormat.VMDK}
_PART = re.compile(r"(.+)-s(\d{3,4})\.vmdk", re.IGNORECASE)
_MAGIC_BYTES = 4
_NAMES_SHOWN = 4


def read_facts(source: ImageSource) -> ImageFacts:
    """Facts of a disk. With `source.follow` the references are, in order, its extents' files and
    then its parent; whoever opens an extent calls `read_extent_facts` on it.
    """
    if source.read_up_to(0, _MAGIC_BYTES) in (layout.MAGIC, layout.COW_MAGIC):
        return _sparse_facts(source)
    text = _text_of_file(source)
    references = _references(source, text, 0, embedded=False)
    descriptor = parse(source, text, 0, alone=True)
    _check_parent(source, text, descriptor, 0)
    _check_extents(source, descriptor)
    _check_named(source, text, descriptor, 0)
    size = sum(extent.sectors for extent in descriptor.extents) * SECTOR
    return _described(source, descriptor, size, references)


def extents_of(source: ImageSource) -> tuple[ExtentLine, ...]:
    """What a descriptor in a file of its own says of each extent, in the order of the references;
    nothing for a sparse file, which is its own extent.
    """
    if source.read_up_to(0, _MAGIC_BYTES) in (layout.MAGIC, layout.COW_MAGIC):
        return ()
    return parse(source, _text_of_file(source), 0, alone=True).extents


def read_extent_facts(source: ImageSource, line: ExtentLine) -> ImageFacts:
    """Facts of the file that `line` names, which is as large as the line says. Raises ImageRefused.

    A flat extent may be anything; a sparse one is checked whole, and has no descriptor that counts.
    """
    size = line.sectors * SECTOR
    if line.kind != "SPARSE":
        if source.size < line.end_bytes:
            detail = f"an extent of {format_size(source.size)} for {format_size(line.end_bytes)}"
            raise source.past_end(detail)
        return ImageFacts(ImageFormat.RAW, size, source.size, size)
    header = decode(source)
    # QEMU looks for the footer by the descriptor's length, not by this file's.
    if header.compressed or header.directory == layout.DIRECTORY_AT_END:
        raise source.unsupported("subformat-unknown", "a stream as a part of a disk")
    header, end = checked(source, header)
    if header.capacity != line.sectors:
        detail = f"a part of {header.capacity} sectors where {line.sectors} are said to be"
        raise source.broken(_CODE, detail, layout.AT_CAPACITY)
    _check_descriptor_place(source, header)
    return _with_header(ImageFacts(ImageFormat.VMDK, size, source.size, size), source, header, end)


def _sparse_facts(source: ImageSource) -> ImageFacts:
    header = decode(source)
    text = _embedded_text(source, header)
    if text is not None:
        base = layout.DESCRIPTOR_SECTOR * SECTOR
        references = _references(source, text, base, embedded=True)
    header, end = checked(source, header)
    if text is None:
        raise _alone(source)
    descriptor = parse(source, text, base, alone=False)
    _check_parent(source, text, descriptor, base)
    _check_embedded(source, header, descriptor)
    _check_named(source, text, descriptor, base)
    facts = _described(source, descriptor, header.capacity * SECTOR, references)
    return _with_header(facts, source, header, end)


def _text_of_file(source: ImageSource) -> bytes:
    if source.size > limits.VMDK_DESCRIPTOR_BYTES:
        detail = f"a descriptor of {format_size(source.size)}"
        raise source.broken("table-too-large", detail)
    return source.read(0, source.size).partition(b"\0")[0]


def _embedded_text(source: ImageSource, header: Header) -> bytes | None:
    """The descriptor up to its end, None where there is none. It is read before any other check."""
    if not header.descriptor or not header.descriptor_size:
        return None
    _check_descriptor_place(source, header)
    text, ended, _ = source.read(
        header.descriptor * SECTOR, header.descriptor_size * SECTOR
    ).partition(b"\0")
    if not ended:
        detail = "the descriptor does not end within its place"
        raise source.broken(_CODE, detail, layout.AT_DESCRIPTOR_SIZE)
    return text or None


def _check_descriptor_place(source: ImageSource, header: Header) -> None:
    length = header.descriptor_size * SECTOR
    if not length:
        return
    if length > limits.VMDK_DESCRIPTOR_BYTES:
        detail = f"a descriptor of {format_size(length)}"
        raise source.broken("table-too-large", detail, layout.AT_DESCRIPTOR_SIZE)
    if header.descriptor != layout.DESCRIPTOR_SECTOR:
        detail = f"a descriptor at sector {header.descriptor}, which QEMU looks for at sector 1"
        raise source.unsupported("subformat-unknown", detail, layout.AT_DESCRIPTOR)
    if length + SECTOR > source.size:
        raise source.broken("truncated", "the file ends within its descriptor", SECTOR)


def _references(
    source: ImageSource, text: bytes, base: int, *, embedded: bool
) -> tuple[Reference, ...]:
    """Every other file that is named, before anything else is judged. A sparse file's own extent
    has the name that the file once had.
    """
    named = list(names_in(text))
    own = embedded and len(named) == 1 and named[0][0] == "SPARSE"
    if named and not own and not source.follow:
        names = ", ".join(shown(name) for _, name, _ in named[:_NAMES_SHOWN])
        more = f" and {len(named) - _NAMES_SHOWN} more" if len(named) > _NAMES_SHOWN else ""
        detail = f"it is one file of {len(named) + 1} of a disk; it needs {names}{more}"
        raise source.outside(detail, base + named[0][2], kind=ReferenceKind.EXTENT)
    found: list[Reference] = []
    for kind, name, at in named:
        if not own:
            reference = Reference(ReferenceKind.EXTENT, name, _FORMATS.get(kind))
            found.append(source.refer(reference, base + at))
        if not _is_plain(name):
            detail = f"it names an extent that is no plain file name: {shown(name)}"
            raise source.unsafe("reference-outside", detail, base + at)
    parent = parent_in(text)
    if parent is not None:
        name, at = parent
        reference = Reference(ReferenceKind.PARENT, name, ImageFormat.VMDK)
        found.append(source.refer(reference, base + at))
        if not all(map(_is_plain, name.split("/"))):
            detail = f"it names a parent that is not below its own folder: {shown(name)}"
            raise source.unsafe("reference-outside", detail, base + at)
    return tuple(found)


def _is_plain(name: str) -> bool:
    """A file's name and no path, protocol or device; in a text that every reader reads alike."""
    return (
        name not in ("", ".", "..")
        and name.isprintable()
        and not set(name) & set("/\\:\N{REPLACEMENT CHARACTER}")
    )


def _check_parent(source: ImageSource, text: bytes, descriptor: Descriptor, base: int) -> None:
    """QEMU goes by the name alone, others by the parent's id."""
    has_name = HINT in text
    if has_name is (descriptor.parent_id == NO_PARENT):
        what = "names a parent, and has none" if has_name else "has a parent, and does not name it"
        raise source.broken(_CODE, f"it {what}", base)


def _check_extents(source: ImageSource, descriptor: Descriptor) -> None:
    if not descriptor.extents:
        raise source.broken(_CODE, "a descriptor without extents", 0)
    if descriptor.create_type not in _READ:
        detail = f"a disk of the type {descriptor.create_type}"
        raise source.unsupported("subformat-unknown", detail)
    for extent in descriptor.extents:
        if extent.access != "RW" or extent.kind not in _FORMATS:
            detail = f"an extent {extent.access} {extent.kind}"
            raise source.unsupported("subformat-unknown", detail, extent.at)
        if extent.kind != "FLAT" and extent.offset_sectors is not None:
            detail = f"a {extent.kind} extent with an offset"
            raise source.broken(_CODE, detail, extent.at)
    if sum(extent.sectors for extent in descriptor.extents) > limits.VMDK_SECTORS:
        raise source.broken("size-too-large", "more sectors in all than any disk has")


def _check_named(source: ImageSource, text: bytes, descriptor: Descriptor, base: int) -> None:
    """What was taken for an extent's name, before the lines were understood, is one."""
    understood = [(one.kind, one.name) for one in descriptor.extents if one.name]
    if [(kind, name) for kind, name, _ in names_in(text)] != understood:
        detail = "a line that is an extent to some readers, and a word to others"
        raise source.broken(_CODE, detail, base)


def _check_embedded(source: ImageSource, header: Header, descriptor: Descriptor) -> None:
    if descriptor.create_type not in _EMBEDDED:
        detail = f"a sparse file that describes a disk of the type {descriptor.create_type}"
        raise source.unsupported("subformat-unknown", detail, SECTOR)
    if [extent.kind for extent in descriptor.extents] != ["SPARSE"]:
        detail = "a sparse file that does not describe itself as one sparse extent"
        raise source.broken(_CODE, detail, SECTOR)
    (extent,) = descriptor.extents
    if extent.sectors != header.capacity or extent.offset_sectors:
        detail = f"a capacity of {header.capacity} sectors, and an extent of {extent.sectors}"
        raise source.broken(_CODE, detail, extent.at)


def _alone(source: ImageSource) -> ImageUnsupported:
    """Which part it is, and of what, only its name can tell."""
    part = _PART.fullmatch(os.path.basename(source.path))
    which, needed = "one part", "the descriptor, a text that names every part"
    if part:
        which, needed = f"part {int(part[2])}", f"{part[1]}.vmdk, a text that names every part"
    detail = f"it is {which} of a disk in several files; you need {needed}"
    refusal = source.unsupported("part-of-disk", detail, layout.AT_DESCRIPTOR)
    refusal.hint_text = "name the descriptor, with every part beside it"
    return refusal


def _described(
    source: ImageSource, descriptor: Descriptor, size: int, references: tuple[Reference, ...]
) -> ImageFacts:
    version = descriptor.words.get("version", "")
    return ImageFacts(
        format=ImageFormat.VMDK,
        virtual_size=size,
        file_size=source.size,
        exact_size=size,
        version=int(version) if version else None,
        compressed=False,
        subformat=descriptor.create_type,
        creator=_creator(descriptor.words),
        geometry=_geometry(descriptor.words),
        references=references,
    )


def _with_header(facts: ImageFacts, source: ImageSource, header: Header, end: int) -> ImageFacts:
    problems: list[Problem] = []
    if header.unclean:
        problems.append(Problem("dirty", "its last writer did not close it"))
    if not check_tables(source, header, end):
        problems.append(Problem("copies-differ", "the copy of its grain tables is another"))
    features = {
        "zeroed-grains": header.has_zeroed,
        "redundant-tables": bool(header.flags & layout.FLAG_REDUNDANT),
        "footer": end < source.size,
    }
    return replace(
        facts,
        cluster_size=header.grain_bytes,
        version=header.version,
        compressed=header.compressed,
        features=tuple(name for name, has in features.items() if has),
        problems=tuple(problems),
    )


def _creator(words: dict[str, str]) -> str | None:
    """VMware's tools' version is the guest's; a comment, and VirtualBox's own words, are not."""
    if "ddb.uuid.image" in words:
        return "VirtualBox"
    comment = told(words.get("ddb.comment", ""))
    return comment[:80] if comment and comment.isprintable() else None


def _geometry(words: dict[str, str]) -> Geometry | None:
    values = [words.get(f"ddb.geometry.{name}", "") for name in ("cylinders", "heads", "sectors")]
    if not all(re.fullmatch(r"[1-9]\d{0,9}", value, re.ASCII) for value in values):
        return None
    return Geometry(*map(int, values))
