"""restore: an image that was prepared, back into a local file, or opened into another place."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace

from diskwright.errors import DataTampered
from diskwright.model.image import ImageFormat
from diskwright.model.manifest import Manifest
from diskwright.model.names import manifest_key, plain_key, uuid7
from diskwright.model.outcome import Reopened, ReopenedDisk, Restored
from diskwright.model.stored import Chunk, Layout
from diskwright.model.times import time_text
from diskwright.ops.convert import LocalTools, Wanted, convert, digest_of
from diskwright.ops.fetch import plain_chunks, with_holes
from diskwright.ops.images import Found, find
from diskwright.ops.opening import look
from diskwright.ops.upload import StoreDestination, check_reachable, sweep_dead_runs
from diskwright.ports import CancelToken, KeyWrapper, ObjectStore, Progress, UploadJournal


@dataclass(frozen=True, slots=True)
class RestoreTools:
    """The outside world, as `app` hands it over. `wrapper` opens sealed images."""

    store: ObjectStore
    wrapper: KeyWrapper | None
    local: LocalTools


@dataclass(frozen=True, slots=True)
class RestoreRequest:
    target: str
    image: str | None = None  # id or name; None: the only one
    disk: int | None = None  # from 1; None: the only one
    output_format: ImageFormat | None = None  # None: the stored one
    verify: bool = False
    force: bool = False


def restore(
    request: RestoreRequest, *, tools: RestoreTools, progress: Progress, cancel: CancelToken
) -> Restored:
    """`target` appears whole and verified, or not at all."""
    found = find(tools.store, request.image, tools.wrapper).chosen(request.disk)
    stored_format = ImageFormat(found.disk.format)
    target = os.path.abspath(request.target)
    wanted = request.output_format or stored_format
    staged_bytes = 0
    digest = ""
    if wanted is stored_format and not request.verify:
        fetch(found, target, request.force, tools, progress, cancel)
    else:
        with tools.local.staged(target, request.force) as staged:
            fetch(found, staged.path, True, tools, progress, cancel)
            if wanted is stored_format:
                digest = verify(found, staged.path, tools, progress, cancel)
                staged.commit()
            else:
                staged_bytes = os.stat(staged.path).st_size
                digest = verify(found, staged.path, tools, progress, cancel)
                _convert(found, staged.path, target, wanted, request, tools, progress, cancel)
    return Restored(
        source=tools.store.url,
        image=found.manifest.image,
        name=found.body.name,
        target=target,
        sealed=found.manifest.sealed,
        format=wanted.value,
        virtual_size=found.disk.virtual_size,
        stored_size=os.stat(target).st_size,
        digest=digest,
        manifest_digest=found.disk.digest,
        verified=bool(digest),
        staged_bytes=staged_bytes,
        passed_over=found.passed_over,
        disk=found.disk.name,
    )


def reopen(
    wanted: str | None,
    *,
    tools: RestoreTools,
    store: ObjectStore,
    journal: UploadJournal,
    now: Callable[[], float],
    entropy: Callable[[int], bytes],
    progress: Progress,
    cancel: CancelToken,
) -> Reopened:
    """A stored image as a new import-ready one at `store`, in one streaming pass a disk."""
    found = find(tools.store, wanted, tools.wrapper)
    image = uuid7(int(now() * 1000), entropy(10))
    check_reachable(store, image)
    sweep_dead_runs(store, journal)
    progress.phase("open", sum(disk.stored_size for disk in found.body.disks))
    with StoreDestination(store, journal, image_id=image, notes={}, cancel=cancel) as destination:
        objects, disks = [], []
        for one in found.each():
            disk = one.disk
            key = plain_key(image, found.body.name, one.index, disk.format)
            layout = Layout(disk.format, disk.virtual_size, disk.stored_size, disk.stored_size)
            sink = destination.sink(key, layout)
            with closing(plain_chunks(tools.store, one)) as chunks:
                for chunk in chunks:
                    cancel.check()
                    sink.write(chunk)
                    progress.advance(len(chunk.data))
            objects.append(sink.finish())
            disks.append(replace(disk, key=key))
        body = replace(found.body, disks=tuple(disks))
        time = time_text(int(now()))
        made = Manifest(image, time, tuple(objects), body=body)
        destination.commit(made)
    return _reopened(found, store.url, tools.store.url, made)


def _reopened(found: Found, target: str, source: str, made: Manifest) -> Reopened:
    assert made.body is not None
    disk, image = made.body.disks[0], made.image
    return Reopened(
        source=source,
        opened=found.manifest.image,
        target=target,
        image=image,
        name=found.body.name,
        key=disk.key,
        manifest_key=manifest_key(image),
        format=disk.format,
        virtual_size=disk.virtual_size,
        stored_size=made.objects[0].size,
        manifest_digest=disk.digest,
        attributes=found.body.attributes,
        profile=found.body.profile,
        passed_over=found.passed_over,
        disks=tuple(
            ReopenedDisk(
                one.name,
                one.key,
                one.format,
                one.virtual_size,
                stored.size,
                one.digest,
                found.body.attributes if one.about is None else one.about.attributes,
            )
            for one, stored in zip(made.body.disks, made.objects, strict=True)
        ),
    )


def fetch(
    found: Found,
    target: str,
    force: bool,
    tools: RestoreTools,
    progress: Progress,
    cancel: CancelToken,
) -> None:
    """The stored object, opened, as the file `target`."""
    sink = tools.local.file_sink(target, force)
    try:
        progress.phase("restore", found.disk.stored_size)
        with closing(plain_chunks(tools.store, found)) as chunks:
            for chunk in with_holes(_counted(chunks, progress, cancel), found.disk.stored_size):
                sink.write(chunk)
        sink.finish()
    except BaseException:
        sink.abort()
        raise


def _counted(chunks: Iterator[Chunk], progress: Progress, cancel: CancelToken) -> Iterator[Chunk]:
    for chunk in chunks:
        cancel.check()
        yield chunk
        progress.advance(len(chunk.data))


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


def _convert(
    found: Found,
    staged: str,
    target: str,
    wanted: ImageFormat,
    request: RestoreRequest,
    tools: RestoreTools,
    progress: Progress,
    cancel: CancelToken,
) -> None:
    convert(
        look(staged, input_format=ImageFormat(found.disk.format)),
        target,
        Wanted(wanted, verify=request.verify, force=request.force),
        tools=tools.local,
        progress=progress,
        cancel=cancel,
    )
