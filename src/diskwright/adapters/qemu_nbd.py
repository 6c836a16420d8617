"""Virtual disks through qemu-nbd, the reference reader, confined to the files of the one disk."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from diskwright._process import (
    ENVIRONMENT,
    ConfinedProcess,
    Rule,
    spawn,
    tool_command,
    tool_rules,
)
from diskwright._ways import Choice
from diskwright.blockio.local import LocalReader
from diskwright.blockio.nbd import NbdReader
from diskwright.blockio.nbd_connection import REQUEST_BYTES
from diskwright.errors import Cancelled, DiskwrightError, ImageBroken, ToolFailed, ToolMissing
from diskwright.formats.identity import check_identity, open_image
from diskwright.formats.limits import QEMU_NBD_BYTES, STALL_S
from diskwright.formats.qemu import image_options, is_local, meaning, open_files
from diskwright.formats.source import image_of
from diskwright.model.image import DiskFile, FileIdentity, ImageFormat
from diskwright.model.nulls import NeverCancelled
from diskwright.model.units import MIB
from diskwright.ports import BlockReader, CancelToken

_TOOL = "qemu-nbd"
_LOOK_S = 0.1
_MOMENT_S = 0.3  # between the wish to stop and its enforcement
_EXIT_WAIT_S = 2.0  # between the end of its connections and the end of the process

# qemu allocates a buffer for each request. By itself libc maps and unmaps such large ones, and the
# page faults cost half of the speed (1.2 against 2.7 GB/s a connection).
_ENVIRONMENT = {
    **ENVIRONMENT,
    "MALLOC_MMAP_THRESHOLD_": str(32 * MIB),
    "MALLOC_TRIM_THRESHOLD_": str(64 * MIB),
}

# It writes no file at all. A stall limit ends it, not a CPU limit: a large disk takes its time.
_LIMITS = {"AS": QEMU_NBD_BYTES, "FSIZE": 0}


class QemuNbdExporter:
    """`BlockExporter`: raw files are read by us, the other formats through a qemu-nbd each.

    `qemu_nbd` is a name looked up in the PATH, or a path. `confinement` is the way that is wanted;
    `unconfined` is for files that the user trusts, on kernels that can't confine.
    """

    def __init__(
        self,
        *,
        qemu_nbd: str = _TOOL,
        unconfined: bool = False,
        confinement: Choice = "auto",
        stall_limit_s: float = STALL_S,
        cancel: CancelToken | None = None,
    ) -> None:
        self._qemu_nbd = qemu_nbd
        self._unconfined = unconfined
        self._confinement = confinement
        self._stall_limit_s = stall_limit_s
        self._cancel = cancel or NeverCancelled()

    @contextmanager
    def open(self, disk: DiskFile, *, connections: int) -> Iterator[BlockReader]:
        """The files are those of their identities, in that state, after qemu has opened them.

        Raises SourceChanged, Locked, ImageRefused, ToolError.
        """
        if is_local(disk):
            with (
                _raw(disk.identity) as fd,
                LocalReader(os.dup(fd), exact_size=disk.identity.size, name=disk.name) as local,
            ):
                yield local
            return
        with ExitStack() as stack:
            exports = [
                stack.enter_context(self._export(disk, connections=share))
                for share in _shares(disk, connections)
            ]
            sockets = [sock for _, some in exports for sock in some]
            try:
                with NbdReader(
                    sockets, name=disk.name, stall_limit_s=self._stall_limit_s
                ) as reader:
                    known = _with_extents(reader, disk)
                    for identity in disk.files():
                        check_identity(identity)
                    yield known
            except ImageBroken as error:
                raise _named(disk, error) from error
            except ToolFailed as error:
                self._cancel.check()  # the connections may have been shut because of it
                if error.tool != _TOOL:
                    raise
                raise _why([process for process, _ in exports], disk.name, error) from error

    @contextmanager
    def descriptor(self, disk: DiskFile) -> Iterator[int]:
        """For a confined child: the raw file read-only, else a connection nobody has spoken on.

        Whether qemu took the image shows only when the child speaks; `open` says it better.
        """
        if is_local(disk):
            with _raw(disk.identity) as fd:
                yield fd
            return
        with self._export(disk, connections=1) as (_, sockets):
            yield sockets[0].fileno()

    def _found(self) -> str:
        tool = shutil.which(self._qemu_nbd)
        if tool is None:
            raise ToolMissing(_TOOL, "qemu-utils")
        return tool

    @contextmanager
    def _export(
        self, disk: DiskFile, *, connections: int
    ) -> Iterator[tuple[ConfinedProcess, list[socket.socket]]]:
        """A running qemu-nbd and connections to it, whose greeting comes once it has the image."""
        tool = self._found()
        options = image_options(disk)
        with ExitStack() as stack:
            sockets, listener = _connected(connections, stack)
            command = tool_command(
                [
                    tool,
                    "--read-only",
                    "--persistent",
                    f"--shared={connections}",
                    "--cache=writeback",
                    "--image-opts",
                    options,
                ],
                rules=[
                    *tool_rules(tool),
                    *(Rule(i.path, "r", (i.device, i.inode)) for i in disk.files()),
                ],
                limits={**_LIMITS, "NOFILE": open_files(disk)},
                listen=listener.fileno(),
                unconfined=self._unconfined,
                confinement=self._confinement,
            )
            process = spawn(
                command, tool=_TOOL, pass_fds=[listener.fileno()], environment=_ENVIRONMENT
            )
            stack.callback(process.stop)
            listener.close()
            with _shut_at_the_wish(self._cancel, sockets):
                yield process, sockets


def _shares(disk: DiskFile, connections: int) -> list[int]:
    """The connections of each process: two of them inflate twice as fast as one."""
    if disk.inflated_singly and connections > 1:
        return [-(-connections // 2)] * 2
    return [connections]


def _with_extents(reader: BlockReader, disk: DiskFile) -> BlockReader:
    """QEMU's VHDX driver (block/vhdx.c) tells of no holes: they are in the block table."""
    if disk.format is not ImageFormat.VHDX:
        return reader
    from diskwright.blockio.view import StoredView  # of no other format, and slow to import
    from diskwright.formats import vhdx

    with _raw(disk.identity) as fd:
        return StoredView(reader, vhdx.read_data_runs(image_of(fd, disk)))


@contextmanager
def _shut_at_the_wish(cancel: CancelToken, sockets: list[socket.socket]) -> Iterator[None]:
    """Whoever waits for a qemu-nbd that hangs is woken soon after the user has asked to stop."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(_LOOK_S):
            try:
                cancel.check()
            except Cancelled:
                break
        if not over.wait(_MOMENT_S):
            for sock in sockets:
                with suppress(OSError):  # it is closed already
                    sock.shutdown(socket.SHUT_RDWR)

    watcher = threading.Thread(target=watch, name="diskwright-watch", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()  # before the sockets' numbers can be those of others


def _connected(count: int, stack: ExitStack) -> tuple[list[socket.socket], socket.socket]:
    """Connections that wait in the queue of a listener for whoever accepts them.

    The socket's name lies in a folder of ours (0700) and is gone when this returns. It is named
    through the folder's descriptor, so that a long TMPDIR fits the 108 bytes of a socket's name.
    """
    folder = tempfile.mkdtemp(prefix="diskwright-")
    directory = -1
    listener = stack.enter_context(socket.socket(socket.AF_UNIX))
    try:
        directory = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        address = f"/proc/self/fd/{directory}/nbd"
        listener.bind(address)
        listener.listen(count)
        sockets = []
        for _ in range(count):
            sock = stack.enter_context(socket.socket(socket.AF_UNIX))
            sock.connect(address)
            sockets.append(sock)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if directory >= 0:
            os.close(directory)
    return sockets, listener


@contextmanager
def _raw(identity: FileIdentity) -> Iterator[int]:
    fd, found = open_image(identity.path)
    try:
        if found != identity:
            check_identity(identity)
        yield fd
    finally:
        os.close(fd)


def _named(disk: DiskFile, error: ImageBroken) -> ImageBroken:
    """`error` of the reader, by its own name where the file tells what it is."""
    known = disk.format is ImageFormat.QCOW2 and disk.backing is None
    if not known or error.code != "unreadable" or error.offset is None:
        return error
    from diskwright.formats.qcow2.damage import compressed_damage

    with _raw(disk.identity) as fd:
        return compressed_damage(image_of(fd, disk), error.offset, REQUEST_BYTES) or error


def _why(processes: list[ConfinedProcess], path: str, error: ToolFailed) -> DiskwrightError:
    """What ended a qemu-nbd, by its status and its words; `error` itself while all still run."""
    ended = [process for process in processes if not process.alive]
    process = ended[0] if ended else processes[0]
    status = process.wait(_EXIT_WAIT_S)
    if status is None:
        return error
    process.raise_if_refused(path)
    said = process.stderr_text()
    if not said:
        return ToolFailed(_TOOL, f"it ended with status {status}")
    return meaning(_TOOL, said, path)
