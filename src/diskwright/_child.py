"""Asking a confined child one question about an open file: it is bounded in time and in its answer.

The child is a function that `diskwright._confine` calls; it has the descriptor and no other right.
"""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from diskwright._process import ConfinedProcess, call_command, spawn
from diskwright._ways import Choice

_BLOCK = 1 << 20
_LOOK_S = 0.1  # how soon a wait notices that the user asked to stop


class NoAnswer(Exception):
    """What the file did to its reader, in words."""


class NotInTime(NoAnswer):
    pass


@dataclass(frozen=True, slots=True)
class Question:
    """`function` is "package.module:name", called with the descriptor and `arguments` (JSON).

    `tool` names the child in errors, `path` the file; `limits` are RLIMIT_ names and values.
    """

    function: str
    arguments: Sequence[object]
    tool: str
    path: str
    limits: Mapping[str, int]
    time_limit_s: float
    answer_bytes: int
    unconfined: bool = False
    confinement: Choice = "auto"


def ask(question: Question, fd: int, *, check: Callable[[], None]) -> bytes:
    """The child's stdout. `check` is called often, and raises where the user asked to stop.

    Raises NoAnswer where the child breaks down, NotInTime where it was stopped at the limit, and
    the launcher's own refusals (ConfinementUnavailable, ToolFailed). No child is left.
    """
    command = call_command(
        question.function,
        [fd, *question.arguments],
        limits=question.limits,
        keep=[fd],
        unconfined=question.unconfined,
        confinement=question.confinement,
    )
    process = spawn(command, tool=question.tool, pass_fds=[fd], stdout=True)
    try:
        return _listen(process, question, check)
    finally:
        process.stop()


def _listen(process: ConfinedProcess, question: Question, check: Callable[[], None]) -> bytes:
    deadline = time.monotonic() + question.time_limit_s
    answer = _read(process, question, deadline, check)
    status = _ended(process, deadline, check)
    process.raise_if_refused(question.path)
    if status != 0:
        how = f"with status {status}" if status is None or status > 0 else f"by signal {-status}"
        said = process.stderr_text().splitlines()[-1:] if status is not None else []
        raise NoAnswer(": ".join([f"its reader ended {how}", *said]))
    return answer


def _read(
    process: ConfinedProcess, question: Question, deadline: float, check: Callable[[], None]
) -> bytes:
    """What the child says until it ends."""
    answer = bytearray()
    fd = process.stdout.fileno()
    while True:
        check()
        left = deadline - time.monotonic()
        if left <= 0:
            raise NotInTime(f"reading it took more than {question.time_limit_s:g} s")
        if not select.select([fd], [], [], min(left, _LOOK_S))[0]:
            continue
        block = os.read(fd, _BLOCK)
        if not block:
            return bytes(answer)
        answer += block
        if len(answer) > question.answer_bytes:
            raise NoAnswer(f"its reader's answer is longer than {question.answer_bytes} bytes")


def _ended(process: ConfinedProcess, deadline: float, check: Callable[[], None]) -> int | None:
    """Its exit status; None where it still runs at the deadline."""
    while True:
        check()
        left = max(deadline - time.monotonic(), 0.0)
        status = process.wait(min(left, _LOOK_S))
        if status is not None or not left:
            return status
