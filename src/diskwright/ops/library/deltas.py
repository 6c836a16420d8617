"""Disks that are stored as what differs from another: which objects they are made of, and whole.

manifest of v3 --base--> manifest of v2 --base--> manifest of v1     layers()
v3.qcow2                 v2.qcow2                 v1.qcow2           fetched, looked at
'------------------------ one disk -----------------------'         composed()
                             | one pass, dw1 verified
                          a whole image file                         flattened()
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager

from diskwright._values import Struct, replace
from diskwright.blockio.view import CancelView, DigestView, ProgressView
from diskwright.errors import DataTampered
from diskwright.model.image import DiskFile, ImageFormat
from diskwright.model.manifest import DiskBase
from diskwright.model.names import manifest_key
from diskwright.model.stored import Chunk, Layout
from diskwright.ops.images import Found
from diskwright.ops.opening import Source, reading
from diskwright.ports import BlockExporter, CancelToken, Progress
from diskwright.writers import writer_for

DELTAS_LIMIT = 4  # over a whole disk; each is fetched, kept and read for every restore


def base_of(found: Found) -> DiskBase:
    """What the manifest of a delta says of the disk that it rests on."""
    return DiskBase(found.manifest.image, found.index, found.stored.key, found.disk.digest)


def layers(top: Found, opened: Callable[[str], Found]) -> tuple[Found, ...]:
    """The disk `top` and those beneath it, down to a whole one: at most `DELTAS_LIMIT` + 1.

    `opened` gives the image of an id, of the same library, as `images.find` does; it raises for one
    that is not there. Raises DataTampered where an image is not the base that it is said to be, and
    for more deltas than are made.
    """
    found = [top]
    while (base := found[-1].disk.base) is not None:
        above = manifest_key(found[-1].manifest.image)
        if len(found) > DELTAS_LIMIT:
            raise DataTampered(above, f"it rests on more than {DELTAS_LIMIT} others")
        image = opened(base.image)
        if base.disk >= len(image.body.disks):
            raise DataTampered(above, "it rests on a disk that its base has not")
        below = replace(image, index=base.disk)
        if base_of(below) != base:
            raise DataTampered(above, "it rests on another disk than its base is")
        found.append(below)
    return tuple(found)


def room_on(chain: tuple[Found, ...]) -> tuple[Found, ...]:
    """The layers that one more delta may lie over, as near to the top of `layers` as can be: where
    the top one is the last that may be a delta, those beneath it.
    """
    return chain[max(0, len(chain) - DELTAS_LIMIT) :]


def composed(files: Sequence[Source]) -> Source:
    """The one disk of a delta's file, of those beneath it, and at the end of a whole disk's, all as
    `opening.look` found them: the files of `layers`, in that order.

    They are read as one through whatever reads the first (see `reading`), which is told the others
    explicitly. None of the files names another: `look` refuses such.
    """
    if not 1 <= len(files) <= DELTAS_LIMIT + 1:
        raise ValueError(f"a disk is no {len(files)} files")
    disk: DiskFile | None = None
    for file in reversed(files):
        if disk is not None and file.facts.format is not ImageFormat.QCOW2:
            raise ValueError(f"{file.path}: no {file.facts.format} rests on a base")
        disk = replace(file.disk, backing=disk)
    assert disk is not None
    return replace(files[0], disk=disk)


class Flattened(Struct, frozen=True):
    """A whole disk on its way. `chunks` are an image file, and are taken once; see `flattened`."""

    layout: Layout
    chunks: Generator[Chunk, None, None]


@contextmanager
def flattened(
    disk: Source,
    digest: str,
    *,
    image_format: ImageFormat,
    compressed: bool,
    exporter: BlockExporter,
    threads: int,
    progress: Progress,
    cancel: CancelToken,
) -> Iterator[Flattened]:
    """`disk`, as `composed` made it, as a file of its own in a format that is written forward, in
    one pass. `digest` is dw1 as the top manifest has it.

    Its chunks end with DataTampered where the disk is another one, SourceChanged where a file is:
    nothing of what came before may then be kept. `progress` counts `layout.data_bytes` of the disk.
    """
    writer = writer_for(
        image_format, virtual_size=disk.facts.virtual_size, compressed=compressed, threads=threads
    )
    with reading(disk, exporter) as reader:
        view = DigestView(ProgressView(CancelView(reader, cancel), progress))
        layout = writer.plan(view.extents(0, view.size))

        def chunks() -> Generator[Chunk, None, None]:
            with closing(writer.chunks(view)) as written:
                yield from written
            found = view.hexdigest()
            if found != digest:
                raise DataTampered(disk.path, f"its disk digest is {found}, not {digest}")
            disk.unchanged()

        progress.phase("flatten", layout.data_bytes)
        with closing(chunks()) as made:
            yield Flattened(layout, made)
