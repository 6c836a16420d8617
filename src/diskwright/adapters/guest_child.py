"""The guest of a disk, read in a confined child that has one open descriptor and no other right."""

from __future__ import annotations

import json
import os
import select
import time
from collections.abc import Callable
from contextlib import AbstractContextManager

from diskwright._process import ConfinedProcess, call_command, spawn
from diskwright._ways import Choice
from diskwright.formats.qemu import is_local
from diskwright.guest.answer import FILE, FUNCTION, MAX_ANSWER, NBD, nothing_read
from diskwright.model.canonical import encode as encode_canonical
from diskwright.model.codec import DecodeError, decode, encode
from diskwright.model.guest import GuestFacts
from diskwright.model.image import DiskFile
from diskwright.model.nulls import NeverCancelled
from diskwright.model.units import MIB
from diskwright.ports import CancelToken

TIME_LIMIT_S = 20.0
_TOOL = "the guest reader"
_LIMITS = {"AS": 768 * MIB, "CPU": 15, "FSIZE": 0, "NOFILE": 32}
_BLOCK = 1 << 20
_LOOK_S = 0.1  # how soon a wait notices that the user asked to stop

Descriptor = Callable[[DiskFile], AbstractContextManager[int]]


class ConfinedGuestInspector:
    """`GuestInspector`. `descriptor` opens a raw file read-only, or connects to an NBD export.

    What a disk does to its reader (a crash, a hang, an answer of another form) leaves facts in
    which everything is unread. Raises only where the child can't be confined or the file changed.
    """

    def __init__(
        self,
        *,
        descriptor: Descriptor,
        unconfined: bool = False,
        confinement: Choice = "auto",
        time_limit_s: float = TIME_LIMIT_S,
        cancel: CancelToken | None = None,
    ) -> None:
        self._descriptor = descriptor
        self._unconfined = unconfined
        self._confinement = confinement
        self._time_limit_s = time_limit_s
        self._cancel = cancel or NeverCancelled()

    def inspect(self, disk: DiskFile) -> GuestFacts:
        kind = FILE if is_local(disk) else NBD
        with self._descriptor(disk) as fd:
            command = call_command(
                FUNCTION,
                [fd, kind, disk.identity.size],
                limits=_LIMITS,
                keep=[fd],
                unconfined=self._unconfined,
                confinement=self._confinement,
            )
            process = spawn(command, tool=_TOOL, pass_fds=[fd], stdout=True)
            try:
                return self._listen(process, disk.name)
            finally:
                process.stop()

    def _listen(self, process: ConfinedProcess, path: str) -> GuestFacts:
        deadline = time.monotonic() + self._time_limit_s
        answer = self._read(process, deadline)
        if answer is None:
            return nothing_read(f"reading it took more than {self._time_limit_s:g} s")
        status = self._ended(process, deadline)
        process.raise_if_refused(path)
        if status != 0:
            how = (
                f"with status {status}" if status is None or status > 0 else f"by signal {-status}"
            )
            said = process.stderr_text().splitlines()[-1:] if status is not None else []
            return nothing_read(": ".join([f"its reader ended {how}", *said]))
        try:
            return understood(answer)
        except DecodeError as error:
            return nothing_read(f"its reader's answer is not to be understood: {error}")

    def _read(self, process: ConfinedProcess, deadline: float) -> bytes | None:
        """What the child says until it ends or has said too much; None where it is not done in
        time."""
        answer = bytearray()
        fd = process.stdout.fileno()
        while len(answer) <= MAX_ANSWER:
            self._cancel.check()
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            if not select.select([fd], [], [], min(left, _LOOK_S))[0]:
                continue
            block = os.read(fd, _BLOCK)
            if not block:
                break
            answer += block
        return bytes(answer)

    def _ended(self, process: ConfinedProcess, deadline: float) -> int | None:
        """Its exit status; None where it still runs at the deadline."""
        while True:
            self._cancel.check()
            left = max(deadline - time.monotonic(), 0.0)
            status = process.wait(min(left, _LOOK_S))
            if status is not None or not left:
                return status


def understood(answer: bytes) -> GuestFacts:
    """The facts in a child's answer, which is not trusted. Raises DecodeError."""
    if len(answer) > MAX_ANSWER:
        raise DecodeError(f"it is longer than {MAX_ANSWER} bytes")
    try:
        facts = decode(GuestFacts, json.loads(answer))
        encode_canonical(encode(facts))  # a manifest will hold them: its numbers have a limit
    except DecodeError:
        raise
    except (ValueError, RecursionError) as error:
        raise DecodeError(str(error)) from error
    return facts
