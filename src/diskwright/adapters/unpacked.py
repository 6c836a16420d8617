"""What gzip, xz, zstd and bzip2 files hold, as files that are gone afterwards.

A confined child unpacks and has no right but to read the packed file; what it says is written here,
and counted. The file's position is shared with it, and tells how far it is.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from diskwright._process import ConfinedProcess, call_command, spawn
from diskwright._ways import Choice
from diskwright.blockio.own_folder import OwnFolder, sweep
from diskwright.blockio.sparse import SparseFile
from diskwright.errors import (
    DiskFull,
    DiskwrightError,
    ImageBroken,
    ImageUnsupported,
    InputUnreadable,
    SourceChanged,
    ToolFailed,
    ToolStalled,
    writing,
)
from diskwright.formats import limits
from diskwright.formats.identity import check_identity, identity_of, open_image
from diskwright.formats.packed.answer import FUNCTION, REFUSED, UNREADABLE
from diskwright.formats.packed.container import (
    BROKEN_CODES,
    CODE,
    processor_seconds,
    unpacked_limit,
)
from diskwright.model.image import FileIdentity, ImageFormat
from diskwright.model.nulls import NeverCancelled, NullProgress
from diskwright.model.units import format_size
from diskwright.ports import CancelToken, Progress

PREFIX = "diskwright-unpacked-"
_TOOL = "the unpacker"
_LIMITS = {"AS": limits.READER_BYTES, "FSIZE": 0, "NOFILE": 32}
_PIPE_BYTES = 1 << 20
_LOOK_S = 0.1  # how soon a wait notices that the user asked to stop
_ENDING_S = 10.0
_ROOM_HINT = "free some space, or unpack elsewhere: TMPDIR=/var/tmp diskwright ..."


class UnpackedFiles:
    """`Unpacker`. At most `limit` bytes come out, None: what the packed size allows.

    They are held in the folder for temporary files, in one of their own that is locked. Raises
    besides ImageRefused: SourceChanged, InputUnreadable, OutputError, ToolError and Cancelled.
    """

    def __init__(
        self,
        *,
        limit: int | None = None,
        unconfined: bool = False,
        confinement: Choice = "auto",
        stall_limit_s: float = limits.STALL_S,
        progress: Progress | None = None,
        cancel: CancelToken | None = None,
    ) -> None:
        self._limit = limit
        self._unconfined = unconfined
        self._confinement = confinement
        self._stall_limit_s = stall_limit_s
        self._progress = progress or NullProgress()
        self._cancel = cancel or NeverCancelled()

    @contextmanager
    def unpacked(self, identity: FileIdentity, packing: ImageFormat) -> Iterator[FileIdentity]:
        with writing("TMPDIR"):
            parent = tempfile.gettempdir()
        with writing(parent):
            sweep(parent, PREFIX)
            folder = OwnFolder.make(parent, PREFIX, shown=parent)
        try:
            yield self._unpack(identity, packing, os.path.join(folder.path, "content"))
        finally:
            folder.remove()

    def _unpack(self, identity: FileIdentity, packing: ImageFormat, path: str) -> FileIdentity:
        fd, now = open_image(identity.path)
        try:
            if now != identity:
                raise SourceChanged(identity.path, "it is another file, or in another state")
            with _room(path):
                out = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
            try:
                self._fill(SparseFile(out), path, fd, identity, packing)
                check_identity(identity)
                return identity_of(path, os.fstat(out))
            finally:
                os.close(out)
        finally:
            os.close(fd)

    def _fill(
        self, out: SparseFile, path: str, fd: int, identity: FileIdentity, packing: ImageFormat
    ) -> None:
        limit = unpacked_limit(identity.size) if self._limit is None else self._limit
        command = call_command(
            FUNCTION,
            [fd, identity.size, packing.value],
            limits=_LIMITS | {"CPU": processor_seconds(identity.size, limit)},
            keep=[fd],
            unconfined=self._unconfined,
            confinement=self._confinement,
        )
        process = spawn(command, tool=_TOOL, pass_fds=[fd], stdout=True)
        try:
            self._progress.phase("unpack", identity.size)
            seen = self._receive(process, out, path, fd, identity, limit)
            self._judge(process, identity)
            self._progress.advance(identity.size - seen)
        finally:
            process.stop()
        with _room(path):
            out.finish()

    def _receive(
        self,
        process: ConfinedProcess,
        out: SparseFile,
        path: str,
        fd: int,
        identity: FileIdentity,
        limit: int,
    ) -> int:
        """Take what the child says until it ends; how much of the packed file it had read."""
        pipe = process.stdout.fileno()
        with suppress(OSError):  # a smaller one will do
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        seen, moved = 0, time.monotonic()
        while True:
            self._cancel.check()
            ready = bool(select.select([pipe], [], [], _LOOK_S)[0])
            if ready:
                with _room(path):
                    if not out.take_from(pipe):
                        return seen
                if out.size > limit:
                    raise self._too_much(identity, limit)
            at = min(os.lseek(fd, 0, os.SEEK_CUR), identity.size)
            if at > seen:
                self._progress.advance(at - seen)
            if ready or at > seen:
                seen, moved = max(at, seen), time.monotonic()
            elif time.monotonic() - moved > self._stall_limit_s:
                raise ToolStalled(_TOOL, self._stall_limit_s)

    def _too_much(self, identity: FileIdentity, limit: int) -> ImageUnsupported:
        packed = format_size(identity.size)
        detail = f"more than {format_size(limit)} came out of {packed}, and it was left there"
        hint = "if you trust its sender, say how much may come out: --max-unpacked 40GiB"
        return ImageUnsupported(identity.path, CODE, detail, hint_text=hint)

    def _judge(self, process: ConfinedProcess, identity: FileIdentity) -> None:
        """How the child ended, whose stdout is closed. Returns where it unpacked all."""
        deadline = time.monotonic() + _ENDING_S
        while (status := process.wait(_LOOK_S)) is None and time.monotonic() < deadline:
            self._cancel.check()
        if status == 0:
            return
        process.raise_if_refused(identity.path)
        check_identity(identity)  # what changes while it is read looks damaged
        said = process.stderr_text() if status is not None else ""
        if status == REFUSED:
            raise refusal(identity, said)
        if status == UNREADABLE:
            raise InputUnreadable(identity.path, said)
        how = "it does not end" if status is None else f"it ended with status {status}"
        raise ToolFailed(_TOOL, ": ".join([how, *said.splitlines()[-1:]]))


def refusal(identity: FileIdentity, said: str) -> DiskwrightError:
    """The error in a child's last words, which are not trusted."""
    match _words(said):
        case [str(code), str(detail), None | int() as offset]:
            detail = ascii(detail)[1:-1][:300]
            if code in BROKEN_CODES:
                return ImageBroken(identity.path, code, detail, offset)
            if code == CODE:
                hint = "unpack it yourself, and name what was in it"
                return ImageUnsupported(identity.path, code, detail, offset, hint)
    return ToolFailed(_TOOL, "what it says is not to be understood")


def _words(said: str) -> object:
    try:
        return json.loads(said)
    except (ValueError, RecursionError):
        return None


@contextmanager
def _room(path: str) -> Iterator[None]:
    """As `writing`; a full disk has a hint of its own."""
    try:
        with writing(path):
            yield
    except DiskFull as full:
        full.hint_text = _ROOM_HINT
        raise
