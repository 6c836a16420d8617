"""The guest of a disk, read in a confined child that has one open descriptor and no other right."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TypeVar

from diskwright._child import Ahead, NoAnswer, Question
from diskwright._ways import Choice
from diskwright.formats import limits
from diskwright.formats.qemu import is_local
from diskwright.guest.answer import (
    BELOW,
    FILE,
    FILES,
    NBD,
    PACKAGES,
    Answer,
    nothing_examined,
    nothing_read,
)
from diskwright.guest.calls import EXAMINING, FUNCTION, guest_reader
from diskwright.model.canonical import encode as encode_canonical
from diskwright.model.codec import DecodeError, decode, encode, learn
from diskwright.model.cost import ReadingCost
from diskwright.model.examined import Examined
from diskwright.model.guest import GuestFacts
from diskwright.model.image import DiskFile
from diskwright.model.nulls import NeverCancelled
from diskwright.ports import CancelToken

T = TypeVar("T")

_LIMIT = (limits.READER_CPU_S, limits.READER_S)  # seconds of a processor, and by the clock

Descriptor = Callable[[DiskFile], AbstractContextManager[int]]


class ConfinedGuestInspector:
    """`GuestInspector`. `descriptor` opens a raw file read-only, or connects to an NBD export.
    A child that waits in `ahead` is taken.

    What a disk does to its reader (a crash, a hang, an answer of another form) leaves facts in
    which everything is unread. Raises only where the child can't be confined or the file changed.
    """

    def __init__(
        self,
        *,
        descriptor: Descriptor,
        unconfined: bool = False,
        confinement: Choice = "auto",
        time_limit_s: float | None = None,
        cancel: CancelToken | None = None,
        ahead: Ahead | None = None,
    ) -> None:
        self._descriptor = descriptor
        self._unconfined = unconfined
        self._confinement = confinement
        self._time_limit_s = time_limit_s
        self._cancel = cancel or NeverCancelled()
        self._ahead = ahead or Ahead()

    def inspect(self, disk: DiskFile) -> GuestFacts:
        return self.measured(disk)[0]

    def measured(self, disk: DiskFile) -> tuple[GuestFacts, ReadingCost | None]:
        try:
            told = understood(self._ask(Answer, FUNCTION, disk, limits.GUEST_ANSWER_BYTES))
        except (NoAnswer, DecodeError) as error:
            return nothing_read(_why(error)), None
        return told.facts, told.cost

    def examine(self, disk: DiskFile, wishes: Sequence[str]) -> Examined:
        """The facts, and what `wishes` name."""
        most_bytes = limits.GUEST_EXAMINED_BYTES
        limit = (limits.GUEST_FILES_CPU_S, limits.GUEST_FILES_S) if FILES in wishes else _LIMIT
        try:
            answer = self._ask(Examined, EXAMINING, disk, most_bytes, list(wishes), limit=limit)
            return _examined(answer, most_bytes, wishes)
        except (NoAnswer, DecodeError) as error:
            return nothing_examined(_why(error), wishes)

    def _ask(
        self,
        kind: type[Answer | Examined],
        function: str,
        disk: DiskFile,
        most_bytes: int,
        *arguments: object,
        limit: tuple[int, float] = _LIMIT,
    ) -> bytes:
        cpu_s, time_s = limit
        reader = guest_reader(
            function, cpu_s=cpu_s, unconfined=self._unconfined, confinement=self._confinement
        )
        with self._descriptor(disk) as fd:
            question = Question(
                [FILE if is_local(disk) else NBD, disk.identity.size, *arguments],
                path=disk.name,
                time_limit_s=self._time_limit_s or time_s,
                answer_bytes=most_bytes,
            )

            def meanwhile() -> None:
                learn(kind)
                self._ahead.meanwhile()

            child = self._ahead.take(reader)
            return child.ask(question, fd, check=self._cancel.check, meanwhile=meanwhile)


def understood(answer: bytes) -> Answer:
    """A child's answer, which is not trusted. Raises DecodeError."""
    return _decoded(Answer, answer, limits.GUEST_ANSWER_BYTES)


def _examined(answer: bytes, most_bytes: int, wishes: Sequence[str]) -> Examined:
    found = _decoded(Examined, answer, most_bytes)
    below = next((BELOW[wish] for wish in wishes if wish in BELOW), None)
    listed = found.files.below if found.files is not None else None
    if listed != below or (found.software is None) is (PACKAGES in wishes):
        raise DecodeError("it tells other things than were asked for")
    return found


def _decoded(kind: type[T], answer: bytes, most_bytes: int) -> T:
    if len(answer) > most_bytes:
        raise DecodeError(f"it is longer than {most_bytes} bytes")
    try:
        value = decode(kind, json.loads(answer))
        encode_canonical(encode(value))  # a manifest will hold them: its numbers have a limit
    except DecodeError:
        raise
    except (ValueError, RecursionError) as error:
        raise DecodeError(str(error)) from error
    return value


def _why(error: Exception) -> str:
    if isinstance(error, DecodeError):
        return f"its reader's answer is not to be understood: {error}"
    return str(error)
