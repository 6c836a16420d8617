"""inspect --deep: how an image is made, where its disk has data, and why one is refused."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

from diskwright._values import Struct, replace
from diskwright.errors import ImageRefused, InputError, ToolError
from diskwright.formats.container import read_container
from diskwright.formats.detect import detect
from diskwright.formats.identity import check_identity, open_image
from diskwright.formats.package.ova import read_package
from diskwright.formats.packed.container import packing_of
from diskwright.formats.source import ImageSource, image_of
from diskwright.model.deep import AllocationMap, ChainFile, Deep, Refused, Sign
from diskwright.model.image import DiskFile, ImageFormat, Reference, ReferenceKind
from diskwright.ops.extent_map import allocation_map
from diskwright.ops.opening import Source, reading
from diskwright.ports import BlockExporter, Progress

CELLS = 64  # of a map, where nobody says how many
_DUMP_BYTES = 64
_DUMP_LINE = 16


class DeepTools(Struct, frozen=True):
    """`clock` counts seconds."""

    exporter: BlockExporter
    progress: Progress
    clock: Callable[[], float]


def deepened(source: Source, *, tools: DeepTools, cells: int = CELLS) -> Deep:
    """What the file says of itself besides its facts, and a map of at most `cells` cells.

    A disk that can't be opened has no map, and it is told why. Raises InputError.
    """
    fd, identity = open_image(source.disk.identity.path)
    try:
        if identity != source.disk.identity:
            check_identity(source.disk.identity)
        image = image_of(fd, source.disk)
        signs = _signs(image)
        container = read_container(image, source.disk.format)
    finally:
        os.close(fd)
    drawn, missing = _map(source, tools, cells)
    facts = source.facts
    sparse = None if facts.allocated is None else facts.allocated < facts.file_size
    chain = tuple(_chain(source.disk, "image", facts.references))
    overhead = _overhead(source, drawn)
    return Deep(signs, container, chain, sparse, drawn, missing, overhead)


def _signs(image: ImageSource) -> tuple[Sign, ...]:
    found = detect(image.fd, image.size, base=image.base)
    return tuple(Sign(match.format, match.offset, match.what) for match in found)


def _map(source: Source, tools: DeepTools, cells: int) -> tuple[AllocationMap | None, str]:
    try:
        with reading(source, tools.exporter) as reader:
            drawn = allocation_map(reader, cells=cells, progress=tools.progress, clock=tools.clock)
            return drawn, ""
    except (InputError, ToolError) as error:
        return None, error.message


def _overhead(source: Source, drawn: AllocationMap | None) -> int | None:
    """None for a disk of several files, or compressed, or not known whole."""
    facts = source.facts
    whole = drawn is not None and not drawn.incomplete
    alone = source.disk.backing is None and not source.disk.extents
    if drawn is None or not whole or not alone or facts.compressed or facts.packed_in is not None:
        return None
    # zeros may be stored or only noted; a hole of a flat file is in its size
    left = source.disk.size - drawn.data
    if facts.format is ImageFormat.RAW or facts.subformat in ("fixed", "static"):
        left -= drawn.hole + drawn.zero
    return left if left >= 0 else None


def _chain(disk: DiskFile, role: str, names: tuple[Reference, ...] = ()) -> Iterator[ChainFile]:
    identity = disk.identity
    yield ChainFile(identity.path, disk.format, role, identity.size, names)
    for extent in disk.extents:
        yield ChainFile(extent.path, ImageFormat.VMDK, ReferenceKind.EXTENT.value, extent.size)
    if disk.backing is not None:
        yield from _chain(disk.backing, ReferenceKind.BACKING.value)


def refused(path: str, error: ImageRefused, *, alone: bool = True) -> Refused:
    """What can be said of the file `path`, for which `error` was raised: no parser runs again.

    `alone`: what it names could not be followed. Raises InputError.
    """
    fd, identity = open_image(path)
    try:
        file = ImageSource(fd, identity.path, identity.size)
        packed = packing_of(detect(fd, identity.size)) is not None
        image = _refused_image(file, error, packed=packed)
        shown = file if image is None else image
        signs = _signs(shown)
        dump_offset, dump = (None, b"") if image is None else _dump(image, error.offset)
    finally:
        os.close(fd)
    return Refused(
        path=error.path,
        size=shown.size,
        signs=signs,
        kind=error.kind,
        code=error.code,
        detail=error.detail,
        offset=error.offset,
        dump_offset=dump_offset,
        dump=dump.hex(),
        alone=alone,
    )


def _refused_image(file: ImageSource, error: ImageRefused, *, packed: bool) -> ImageSource | None:
    """The bytes that the refusal's offset counts in; None where they are not in this file.

    What was unpacked is gone, and a file that an image names is not opened for this.
    """
    if error.path == file.path:
        return None if packed else file
    if not error.path.startswith(f"{file.path}: "):
        return None
    for member in read_package(file).members:
        if error.path == f"{file.path}: {member.name}":
            return replace(file, path=error.path, base=member.offset, size=member.size)
    return None


def _dump(image: ImageSource, offset: int | None) -> tuple[int | None, bytes]:
    """Whole lines around what is at `offset`, which may be beyond the end: then the last ones."""
    if offset is None or not image.size:
        return None, b""
    line = min(offset, image.size - 1) // _DUMP_LINE * _DUMP_LINE
    start = max(0, line - _DUMP_LINE)
    return start, image.read_up_to(start, _DUMP_BYTES)
