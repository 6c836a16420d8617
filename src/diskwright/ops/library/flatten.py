"""flatten: a server's overlays become disks of their own, and its image is in use no more."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress

from diskwright._values import Struct, replace
from diskwright.errors import SourceChanged, UsageError, writing
from diskwright.model.image import ImageFormat
from diskwright.model.server import Server, ServerBase, ServerDisk, ServerKind
from diskwright.ops.convert import LocalTools, Wanted, convert
from diskwright.ops.library.server_ends import find_server, released
from diskwright.ops.opening import ImageOpener
from diskwright.ports import CancelToken, ObjectStore, Progress
from diskwright.ports_library import Servers, ServerWork

_OVERLAY, _OWN = ".qcow2", "-own.qcow2"


class FlattenTools(Struct, frozen=True):
    """The outside world, as `app` hands it over. `opener_beneath` opens images whose backing files
    lie beneath that folder."""

    servers: Servers
    local: LocalTools
    opener_beneath: Callable[[str], ImageOpener]
    store_of: Callable[[str], ObjectStore]


def flatten(
    wanted: str,
    kind: ServerKind | None,
    *,
    tools: FlattenTools,
    dry_run: bool,
    progress: Progress,
    cancel: CancelToken,
) -> Server:
    """The server after it. Whoever is killed on the way leaves it as it was, or flat and its image
    in use: then this does the rest.

    Raises Locked while it runs, SourceChanged where the base is not what it was, UsageError where
    no disk of it is an overlay.
    """
    server = find_server(tools.servers, wanted, kind)
    if not server.use:
        hint = f"see its disks: diskwright {server.kind.value} show {server.id}"
        raise UsageError(f"{server.kind.value} {server.id}: its disks are its own already", hint)
    if dry_run:
        return server
    work = tools.servers.take(server.id)
    try:
        before = work.server
        disks = tuple(_flat(disk, work, tools, progress, cancel) for disk in before.disks)
        after = work.publish(replace(before, disks=disks))
        for disk in disks:
            if disk.file.endswith(_OWN):
                _remove(os.path.join(work.folder, disk.file.removesuffix(_OWN) + _OVERLAY))
        if not released(after, tools.store_of):
            after = work.publish(replace(after, use=""))
    finally:
        work.close()
    return after


def _flat(
    disk: ServerDisk,
    work: ServerWork,
    tools: FlattenTools,
    progress: Progress,
    cancel: CancelToken,
) -> ServerDisk:
    """A file beside it that holds all of it, read back and compared."""
    if disk.base is None:
        return disk
    check_base(disk.base)
    file = disk.file.removesuffix(_OVERLAY) + _OWN
    opener = tools.opener_beneath(os.path.dirname(disk.base.path))
    with opener.source(work.server.path(disk), input_format=ImageFormat.QCOW2) as source:
        target = os.path.join(work.folder, file)
        wanted = Wanted(ImageFormat.QCOW2, verify=True, force=True)
        convert(source, target, wanted, tools=tools.local, progress=progress, cancel=cancel)
    return replace(disk, file=file, base=None)


def _remove(overlay: str) -> None:
    """A killed run may have done it."""
    with writing(overlay), suppress(FileNotFoundError):
        os.unlink(overlay)


def check_base(base: ServerBase) -> None:
    """Raises SourceChanged where the file is not as it was when the overlay was made over it."""
    try:
        status = os.stat(base.path)
    except OSError as error:
        raise SourceChanged(base.path, error.strerror or "it is gone") from error
    if status.st_size != base.size:
        raise SourceChanged(base.path, f"its size went from {base.size} to {status.st_size} bytes")
    if status.st_mtime_ns // 1000 != base.modified_us:
        raise SourceChanged(base.path, "its time of modification is another")
