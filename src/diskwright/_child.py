"""Asking a confined child one question about an open file: it is bounded in time and in its answer.

The child is a function that `diskwright._confine` calls; it has the descriptor and no other right.
It is started before anything else, so what is imported here is little.
"""

from __future__ import annotations

import json
import os
import select
import socket
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import NamedTuple

from diskwright._process import ConfinedProcess, call_command, spawn
from diskwright._ways import Choice
from diskwright.errors import ConfinementUnavailable

_BLOCK = 1 << 20
_LOOK_S = 0.1  # how soon a wait notices that the user asked to stop


class NoAnswer(Exception):
    """What the file did to its reader, in words."""


class NotInTime(NoAnswer):
    pass


class Reader(NamedTuple):
    """Who is asked. `function` is "package.module:name", called with the descriptor and arguments.

    `tool` names the child in errors; `limits` are RLIMIT_ names and values.
    """

    function: str
    tool: str
    limits: Mapping[str, int]
    unconfined: bool = False
    confinement: Choice = "auto"


class Question(NamedTuple):
    """What is asked: `arguments` are JSON, `path` is the file's in errors."""

    arguments: Sequence[object]
    path: str
    time_limit_s: float
    answer_bytes: int


class Child:
    """A reader that is started: it imports what it needs, then waits for its one question, and
    confines itself before it reads a byte of the file in question.

    Raises ConfinementUnavailable where there is no way to confine it.
    """

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs, ExitStack() as undo:
            undo.callback(self._ours.close)
            command = call_command(
                reader.function,
                [],
                limits=reader.limits,
                keep=[theirs.fileno()],
                question=theirs.fileno(),
                unconfined=reader.unconfined,
                confinement=reader.confinement,
            )
            self._process = spawn(
                command, tool=reader.tool, pass_fds=[theirs.fileno()], stdout=True
            )
            undo.pop_all()

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(
        self,
        question: Question,
        fd: int,
        *,
        check: Callable[[], None],
        meanwhile: Callable[[], None] = lambda: None,
    ) -> bytes:
        """Its stdout. `check` is called often, and raises where the user asked to stop; `meanwhile`
        when it has said nothing for a moment: not at once, as it may want the processor then.

        Raises NoAnswer where the child breaks down, NotInTime where it was stopped at the limit,
        and the launcher's own refusals (ConfinementUnavailable, ToolFailed). No child is left.
        """
        try:
            with suppress(OSError):  # it has ended: how is told by what it leaves
                socket.send_fds(self._ours, [json.dumps(question.arguments).encode()], [fd])
            return _listen(self._process, question, check, meanwhile)
        finally:
            self.stop()

    def stop(self) -> None:
        """Ended when this returns, asked or not."""
        self._process.stop()
        self._ours.close()


class Ahead:
    """Children that are started before there is a question. Used by several threads."""

    def __init__(self) -> None:
        self._waiting: deque[Child] = deque()
        self._started: list[Child] = []
        self._later: deque[Callable[[], object]] = deque()

    def later(self, job: Callable[[], object]) -> None:
        """To be done while a child is waited for."""
        self._later.append(job)

    def meanwhile(self) -> None:
        while True:
            try:
                job = self._later.popleft()
            except IndexError:
                return
            job()

    def start(self, reader: Reader) -> None:
        """One child waits until it is taken, or until `stop`. Where none can be started or confined
        none waits, and `take` says why."""
        with suppress(ConfinementUnavailable, OSError, RuntimeError):  # RuntimeError: no thread
            child = Child(reader)
            self._started.append(child)
            self._waiting.append(child)

    def stop(self) -> None:
        """None of those is left, taken or not."""
        self._waiting.clear()
        while self._started:
            self._started.pop().stop()

    @contextmanager
    def started(self, reader: Reader) -> Iterator[None]:
        """One child waits meanwhile, until it is taken: one that waits already, if it is such a
        reader. None is left."""
        if [child.reader for child in self._waiting] != [reader]:
            self.stop()
            self.start(reader)
        try:
            yield
        finally:
            self.stop()

    def take(self, reader: Reader) -> Child:
        """The one that waits, if it is such a reader; else a new one."""
        try:
            child = self._waiting.pop()
        except IndexError:
            return Child(reader)
        if child.reader == reader:
            return child
        self._waiting.append(child)
        return Child(reader)


def _listen(
    process: ConfinedProcess,
    question: Question,
    check: Callable[[], None],
    meanwhile: Callable[[], None],
) -> bytes:
    deadline = time.monotonic() + question.time_limit_s
    answer = _read(process, question, deadline, check, meanwhile)
    status = _ended(process, deadline, check)
    process.raise_if_refused(question.path)
    if status != 0:
        how = f"with status {status}" if status is None or status > 0 else f"by signal {-status}"
        said = process.stderr_text().splitlines()[-1:] if status is not None else []
        raise NoAnswer(": ".join([f"its reader ended {how}", *said]))
    return answer


def _read(
    process: ConfinedProcess,
    question: Question,
    deadline: float,
    check: Callable[[], None],
    meanwhile: Callable[[], None],
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
            meanwhile()
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
