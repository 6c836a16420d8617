"""The guest of a disk, read in a confined child that has one open descriptor and no other right."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager

from diskwright._child import NoAnswer, Question, ask
from diskwright._ways import Choice
from diskwright.formats import limits
from diskwright.formats.qemu import is_local
from diskwright.guest.answer import FILE, FUNCTION, NBD, Answer, nothing_read
from diskwright.model.canonical import encode as encode_canonical
from diskwright.model.codec import DecodeError, decode, encode
from diskwright.model.cost import ReadingCost
from diskwright.model.guest import GuestFacts
from diskwright.model.image import DiskFile
from diskwright.model.nulls import NeverCancelled
from diskwright.ports import CancelToken

_TOOL = "the guest reader"
_LIMITS = {"AS": limits.READER_BYTES, "CPU": limits.READER_CPU_S, "FSIZE": 0, "NOFILE": 32}

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
        time_limit_s: float = limits.READER_S,
        cancel: CancelToken | None = None,
    ) -> None:
        self._descriptor = descriptor
        self._unconfined = unconfined
        self._confinement = confinement
        self._time_limit_s = time_limit_s
        self._cancel = cancel or NeverCancelled()

    def inspect(self, disk: DiskFile) -> GuestFacts:
        return self.measured(disk)[0]

    def measured(self, disk: DiskFile) -> tuple[GuestFacts, ReadingCost | None]:
        answer = self._asked(disk)
        return answer.facts, answer.cost

    def _asked(self, disk: DiskFile) -> Answer:
        kind = FILE if is_local(disk) else NBD
        with self._descriptor(disk) as fd:
            question = Question(
                FUNCTION,
                [kind, disk.identity.size],
                tool=_TOOL,
                path=disk.name,
                limits=_LIMITS,
                time_limit_s=self._time_limit_s,
                answer_bytes=limits.GUEST_ANSWER_BYTES,
                unconfined=self._unconfined,
                confinement=self._confinement,
            )
            try:
                return understood(ask(question, fd, check=self._cancel.check))
            except NoAnswer as reason:
                return Answer(nothing_read(str(reason)))
            except DecodeError as error:
                why = f"its reader's answer is not to be understood: {error}"
                return Answer(nothing_read(why))


def understood(answer: bytes) -> Answer:
    """A child's answer, which is not trusted. Raises DecodeError."""
    if len(answer) > limits.GUEST_ANSWER_BYTES:
        raise DecodeError(f"it is longer than {limits.GUEST_ANSWER_BYTES} bytes")
    try:
        told = decode(Answer, json.loads(answer))
        encode_canonical(encode(told))  # a manifest will hold the facts: its numbers have a limit
    except DecodeError:
        raise
    except (ValueError, RecursionError) as error:
        raise DecodeError(str(error)) from error
    return told
