"""create: a server or a volume of an image, on disks of its own or on overlays over the image's."""

from __future__ import annotations

import os
from collections.abc import Callable

from diskwright._values import Struct, replace
from diskwright.errors import DataTampered, UsageError
from diskwright.formats.identity import open_image
from diskwright.formats.qcow2.header import read_header
from diskwright.formats.source import ImageSource
from diskwright.model.image import FileIdentity, ImageFormat
from diskwright.model.library import Entry, EntryDisk, ImageKind, Status, Visibility
from diskwright.model.limits import check_memory, check_name
from diskwright.model.names import manifest_key, uuid7
from diskwright.model.server import Server, ServerBase, ServerDisk, ServerKind, ServerMade, Use
from diskwright.ops.convert import LocalTools
from diskwright.ops.library.fold import entry_of
from diskwright.ops.library.place import Place, check_state, find_entry, newest
from diskwright.ops.library.server_ends import finish, sweep
from diskwright.ops.library.uses import put_use, use_key
from diskwright.ops.manifests import needs_key
from diskwright.ops.restore import RestoreRequest, restore
from diskwright.ops.stored_file import RestoreTools
from diskwright.ports import CancelToken, KeyWrapper, ObjectStore, Progress
from diskwright.ports_library import LocalObjects, Servers, ServerWork
from diskwright.writers.qcow2_overlay import can_name, overlay_chunks

_OWN = (
    ImageFormat.RAW,
    ImageFormat.QCOW2,
)  # what a server's disk is kept in; else it becomes qcow2


class ServerRequest(Struct, frozen=True):
    """`name` None: the image's, with a number where that is in use. `memory_mib` None: what the
    image needs. `copy`: disks of its own, whatever the image is made for; `verify`: they are read
    back and compared with the disk digest."""

    image: str
    kind: ServerKind = ServerKind.SERVER
    name: str | None = None
    memory_mib: int | None = None
    copy: bool = False
    verify: bool = False


class ServerTools(Struct, frozen=True):
    """The outside world, as `app` hands it over. `objects` is None where the library is no folder;
    `store_of` opens a library by its URL, `source_of` what an image is read from, `host` is this
    workstation."""

    servers: Servers
    local: LocalTools
    objects: LocalObjects | None
    store_of: Callable[[str], ObjectStore]
    source_of: Callable[[Entry], tuple[ObjectStore, KeyWrapper | None]]
    host: str


class ServerPlan(Struct, frozen=True):
    """`server` as it is going to be; its disks and a number in its name come with `run`."""

    server: Server
    entry: Entry
    quick: bool
    numbered: bool
    verify: bool
    note: str = ""


def plan(place: Place, request: ServerRequest, *, tools: ServerTools) -> ServerPlan:
    """Nothing is written. Raises ImageNotFound, ImageAmbiguous, IllegalState for an image in the
    trash, KeyMissing, and UsageError for what can't be made of it."""
    entry = find_entry(place.catalog, request.image, place.store.url)
    check_state(entry, Status.ACTIVE, f"a {request.kind.value}")
    if entry.visibility is Visibility.SHARED:
        tools.source_of(entry)  # raises where we may not use it
    if not entry.opened:
        raise needs_key(entry.id, entry.recipients)
    _check_kind(entry, request.kind)
    name = request.name if request.name is not None else entry.name or entry.id
    check_name(name)
    note = _why_not_quick(entry, tools.objects) if entry.quick and not request.copy else ""
    quick = entry.quick and not request.copy and not note
    server_id = uuid7(int(place.now() * 1000), place.entropy(10))
    server = Server(
        id=server_id,
        name=name,
        kind=request.kind,
        library=place.info.id,
        url=place.store.url,
        image=entry.id,
        image_name=entry.name or "",
        created=place.time(),
        who=place.who,
        memory_mib=_memory(entry, request.memory_mib),
        architecture=entry.architecture,
        boot_mode=entry.boot_mode,
        os_type=entry.os_type,
        nic_multiqueue=entry.nic_multiqueue,
        sriov=entry.sriov,
        use=use_key(entry.id, server_id) if quick else "",
    )
    return ServerPlan(server, entry, quick, request.name is None, request.verify, note)


def made(
    place: Place,
    planned: ServerPlan,
    *,
    tools: ServerTools,
    dry_run: bool,
    progress: Progress,
    cancel: CancelToken,
) -> ServerMade:
    """As `run`, told. With `dry_run` nothing is done."""
    if dry_run:
        return ServerMade(planned.server, planned.note, dry_run=True)
    sweep(tools.servers, tools.store_of)
    server = run(place, planned, tools=tools, progress=progress, cancel=cancel)
    return ServerMade(server, planned.note)


def run(
    place: Place,
    planned: ServerPlan,
    *,
    tools: ServerTools,
    progress: Progress,
    cancel: CancelToken,
) -> Server:
    """Whole or absent. Raises TargetExists for a name in use, DataTampered, and IllegalState where
    the image went to the trash meanwhile."""
    work = tools.servers.begin(planned.server, numbered=planned.numbered)
    try:
        if planned.quick:
            disks = _overlays(place, planned.entry, work, tools)
        else:
            disks = _copies(planned, work, tools, progress, cancel)
        cancel.check()
        server = work.publish(replace(work.server, disks=disks))
    except BaseException:
        finish(work, tools.store_of)
        raise
    work.close()
    return server


def _check_kind(entry: Entry, kind: ServerKind) -> None:
    of_data = entry.kind is ImageKind.DATA
    if of_data and kind is ServerKind.SERVER:
        hint = f"make a volume of it: diskwright volume create --image {entry.id}"
        raise UsageError(f"image {entry.id} is of a data disk: no server boots from it", hint)
    if not of_data and kind is ServerKind.VOLUME:
        hint = f"make a server of it: diskwright server create --image {entry.id}"
        raise UsageError(f"image {entry.id} is no data disk image", hint)


def _memory(entry: Entry, asked_mib: int | None) -> int:
    if asked_mib is None:
        return entry.min_memory_mib
    check_memory(asked_mib, 0)
    least, most = entry.min_memory_mib, entry.max_memory_mib
    if asked_mib < least or (most and asked_mib > most):
        upper = f" and at most {most} MiB" if most else ""
        limit = "--min-memory" if asked_mib < least else "--max-memory"
        reason = " --reason TEXT" if asked_mib < entry.needs_memory_mib else ""
        raise UsageError(
            f"--memory of {asked_mib} MiB: the image asks for at least {least} MiB{upper}",
            "give so much, or change what it says: "
            f"diskwright image set {entry.id} {limit} {asked_mib}MiB{reason}",
        )
    return asked_mib


def _why_not_quick(entry: Entry, objects: LocalObjects | None) -> str:
    """Empty: overlays can stand on its objects."""
    if entry.visibility is Visibility.SHARED:
        return "copied: it lies in another's library"
    if objects is None:
        return "copied: the library is no folder here, and an overlay needs a file beneath it"
    if entry.sealed or any(
        one.compressed or ImageFormat(one.format) not in _OWN for one in entry.disks
    ):
        return "copied: its disks are sealed or compressed, and can't be read in place"
    if not all(can_name(objects.path_of(one.key)) for one in entry.disks):
        return "copied: the library's path is too long for an overlay to name"
    return ""


def _overlays(
    place: Place, entry: Entry, work: ServerWork, tools: ServerTools
) -> tuple[ServerDisk, ...]:
    """The use first, then a look whether the image is still there: who deletes it does the same the
    other way round."""
    server = work.server
    use = Use(server.id, server.name, tools.host, server.created, server.who)
    put_use(place.store, entry.id, use)
    chain = newest(place, entry)
    if chain.body is None or any(disk.base is not None for disk in chain.body.disks):
        what = "it is for quick provisioning, and its disks are not whole by themselves"
        raise DataTampered(manifest_key(entry.id), what)
    now = entry_of(chain)
    check_state(now, Status.ACTIVE, f"a {server.kind.value}")
    return tuple(_overlay(n, disk, work, tools) for n, disk in enumerate(now.disks))


def _overlay(number: int, disk: EntryDisk, work: ServerWork, tools: ServerTools) -> ServerDisk:
    assert tools.objects is not None
    tools.objects.protect(disk.key)
    base = tools.objects.path_of(disk.key)
    identity = _checked_base(base, disk)
    file = f"disk-{number}.qcow2"
    sink = tools.local.file_sink(os.path.join(work.folder, file), False)
    try:
        for chunk in overlay_chunks(
            virtual_size=disk.virtual_size, base=base, base_format=ImageFormat(disk.format)
        ):
            sink.write(chunk)
        sink.finish()
    except BaseException:
        sink.abort()
        raise
    below = ServerBase(
        base, disk.format, identity.size, identity.mtime_ns // 1000, disk.object_digest
    )
    return ServerDisk(
        file, ImageFormat.QCOW2, disk.virtual_size, disk.digest, disk.data, disk.name, below
    )


def _checked_base(path: str, disk: EntryDisk) -> FileIdentity:
    """It is as large as its manifest says, and names no other file: qemu would follow. What is in
    it is not read for that, as that takes time: `library check --read-data` does."""
    fd, identity = open_image(path)
    try:
        if identity.size != disk.object_size:
            what = f"it has {identity.size} bytes, its manifest says {disk.object_size}"
            raise DataTampered(disk.key, what)
        if disk.format == ImageFormat.QCOW2:
            header = read_header(ImageSource(fd, path, identity.size))[0]
            if header.virtual_size != disk.virtual_size:
                raise DataTampered(disk.key, "its virtual size is not that of its manifest")
        elif identity.size != disk.virtual_size:
            raise DataTampered(disk.key, "it is no raw disk of the size in its manifest")
    finally:
        os.close(fd)
    return identity


def _copies(
    planned: ServerPlan,
    work: ServerWork,
    tools: ServerTools,
    progress: Progress,
    cancel: CancelToken,
) -> tuple[ServerDisk, ...]:
    """As `restore` fetches them: each part against its digest."""
    entry = planned.entry
    opened = RestoreTools(*tools.source_of(entry), tools.local)
    disks = []
    for number, disk in enumerate(entry.disks):
        stored = ImageFormat(disk.format)
        own = stored if stored in _OWN else ImageFormat.QCOW2
        file = f"disk-{number}.{own.value}"
        request = RestoreRequest(
            os.path.join(work.folder, file),
            image=entry.id,
            disk=number + 1,
            output_format=own,
            verify=planned.verify or own is not stored,
        )
        restore(request, tools=opened, progress=progress, cancel=cancel)
        disks.append(
            ServerDisk(file, own.value, disk.virtual_size, disk.digest, disk.data, disk.name)
        )
    return tuple(disks)
