"""The guest of a disk, read in a confined child that has one open descriptor and no other right."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager

from diskwright._child import NoAnswer, Question, ask
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
            question = Question(
                FUNCTION,
                [kind, disk.identity.size],
                tool=_TOOL,
                path=disk.name,
                limits=_LIMITS,
                time_limit_s=self._time_limit_s,
                answer_bytes=MAX_ANSWER,
                unconfined=self._unconfined,
                confinement=self._confinement,
            )
            try:
                return understood(ask(question, fd, check=self._cancel.check))
            except NoAnswer as reason:
                return nothing_read(str(reason))
            except DecodeError as error:
                return nothing_read(f"its reader's answer is not to be understood: {error}")


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
