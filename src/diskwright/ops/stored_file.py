"""A stored disk as an image file: under a name here, or on its way to somewhere else.

stored whole     its object, each part or segment verified
a delta          the files of all its layers --> one pass, dw1 verified --> a whole disk's file
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing, contextmanager

from diskwright._values import Struct
from diskwright.errors import DataTampered
from diskwright.model.image import ImageFormat
from diskwright.model.stored import Chunk, Layout, StoredObject
from diskwright.ops.convert import LocalTools, digest_of
from diskwright.ops.fetch import plain_chunks, with_holes
from diskwright.ops.images import Found, find
from diskwright.ops.library.deltas import Flattened, composed, flattened, layers
from diskwright.ops.opening import Source, look
from diskwright.ops.sealing import DiskSeal
from diskwright.ops.upload import StoreDestination
from diskwright.ports import CancelToken, KeyWrapper, ObjectStore, Progress


class RestoreTools(Struct, frozen=True):
    """The outside world, as `app` hands it over. `wrapper` opens sealed images."""

    store: ObjectStore
    wrapper: KeyWrapper | None
    local: LocalTools


def fetch(
    found: Found,
    target: str,
    force: bool,
    tools: RestoreTools,
    progress: Progress,
    cancel: CancelToken,
) -> None:
    """The stored disk, opened and whole, as the file `target` in the stored format. Raises what
    `passing` raises."""
    sink = tools.local.file_sink(target, force)
    try:
        with passing(found, tools, "restore", progress, cancel) as file:
            chunks: Iterator[Chunk] = file.chunks
            if found.disk.base is None:
                chunks = with_holes(chunks, found.disk.stored_size)
            for chunk in chunks:
                sink.write(chunk)
        sink.finish()
    except BaseException:
        sink.abort()
        raise


def verify(
    found: Found, path: str, tools: RestoreTools, progress: Progress, cancel: CancelToken
) -> str:
    """Read the file back as a disk; its digest, which is the one taken from the source.

    Raises DataTampered for another one.
    """
    copy = look(path, input_format=ImageFormat(found.disk.format))
    digest = digest_of(copy, tools.local, progress, cancel, "verify")
    if digest != found.disk.digest:
        raise DataTampered(
            f"image {found.manifest.image}", f"its disk digest is {digest}, not {found.disk.digest}"
        )
    return digest


@contextmanager
def passing(
    found: Found, tools: RestoreTools, phase: str, progress: Progress, cancel: CancelToken
) -> Iterator[Flattened]:
    """The disk as an image file in the stored format, to be taken once; whole, though it is stored
    as a delta. The phase is begun, and progress counted.

    Its chunks end with DataTampered where it is not what the manifest says: nothing of what came
    before may then be kept.
    """
    if found.disk.base is not None:
        compressed = found.disk.compressed
        with made_anew(found, tools, compressed=compressed, progress=progress, cancel=cancel) as it:
            yield it
        return
    disk = found.disk
    progress.phase(phase, disk.stored_size)
    layout = Layout(disk.format, disk.virtual_size, disk.stored_size, disk.stored_size)
    with closing(counted(plain_chunks(tools.store, found), progress, cancel)) as chunks:
        yield Flattened(layout, chunks)


def counted(
    chunks: Generator[Chunk, None, None], progress: Progress, cancel: CancelToken
) -> Generator[Chunk, None, None]:
    """The same chunks, of which progress is told. Closing it closes them."""
    with closing(chunks):
        for chunk in chunks:
            cancel.check()
            yield chunk
            progress.advance(len(chunk.data))


@contextmanager
def made_anew(
    found: Found,
    tools: RestoreTools,
    *,
    compressed: bool,
    progress: Progress,
    cancel: CancelToken,
) -> Iterator[Flattened]:
    """As `passing`, as a new qcow2 whatever the stored format is: dw1 is verified."""
    chain = layers(found, base_opener(found, tools))
    with (
        local_disk(chain, tools, progress, cancel) as disk,
        flattened(
            disk,
            found.disk.digest,
            image_format=ImageFormat.QCOW2,
            compressed=compressed,
            exporter=tools.local.exporter,
            threads=tools.local.threads,
            progress=progress,
            cancel=cancel,
        ) as file,
    ):
        yield file


def base_opener(found: Found, tools: RestoreTools) -> Callable[[str], Found]:
    """For `layers`: what a sealed image rests on is sealed, and what a plain one does is plain."""
    wrapper = tools.wrapper if found.manifest.sealed else None
    return lambda image: find(tools.store, image, wrapper, deltas=True)


@contextmanager
def local_disk(
    chain: tuple[Found, ...], tools: RestoreTools, progress: Progress, cancel: CancelToken
) -> Iterator[Source]:
    """The one disk of `layers` as local files, each verified where it came from elsewhere: a plain
    object in a folder is read where it lies. What was fetched is gone when the context is left.
    """
    with ExitStack() as stack:
        folder = ""
        files = []
        for number, one in enumerate(chain):
            path = None
            if one.data_key is None:
                path = tools.local.path_of(tools.store, one.stored.key)
            if path is None:
                folder = folder or stack.enter_context(tools.local.scratch())
                path = os.path.join(folder, f"{number}.{one.disk.format}")
                _fetch_layer(one, path, tools, progress, cancel)
            files.append(look(path, input_format=ImageFormat(one.disk.format)))
        yield composed(files)


def _fetch_layer(
    found: Found, path: str, tools: RestoreTools, progress: Progress, cancel: CancelToken
) -> None:
    """The object as it was stored, which of a delta is no whole disk."""
    size = found.disk.stored_size
    progress.phase("fetch", size)
    sink = tools.local.file_sink(path, False)
    try:
        with closing(counted(plain_chunks(tools.store, found), progress, cancel)) as chunks:
            for chunk in with_holes(chunks, size):
                sink.write(chunk)
        sink.finish()
    except BaseException:
        sink.abort()
        raise


class Sent(Struct, frozen=True):
    """An object as it is stored, and the size of the plain one."""

    stored: StoredObject
    plain_size: int


def send(
    file: Flattened,
    key: str,
    *,
    destination: StoreDestination,
    seal: DiskSeal | None = None,
    threads: int = 1,
) -> Sent:
    """What passes, as `key` at `destination`, sealed on the way where there is a seal."""
    layout = file.layout if seal is None else seal.layout(file.layout)
    sink = destination.sink(key, layout)
    chunks = file.chunks if seal is None else seal.chunks(file.chunks, threads)
    with closing(chunks):
        for chunk in chunks:
            sink.write(chunk)
    stored = sink.finish()
    return Sent(stored, stored.size if seal is None else seal.plain_size(stored.size))
