"""The command in processes that are forked off one which has imported all of it: a run costs no
start, can be held before it changes anything, and can be killed where it stands.

    server  <- a line of JSON for each run -- Forked
    child   -- `pid`, `ready` where it is held, `ended` and the wait status -> Forked
"""

from __future__ import annotations

import importlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from support import forking
from support.command import Command, Ended
from support.stopping import descendants, outlived

START, RUN = "start", "run"  # where a run can be held: before anything, when it has planned
# Where in `ops.library` a verb begins to change what others see
HELD = {
    "create": ("create", "run"),
    "set": ("modify", "append"),  # the name is taken by then
    "delete": ("trash", "append"),
    "share": ("sharing", "append"),
    "replicate": ("replicate", "append"),  # the data is there by then
}
_GO = b"go\n"


@dataclass
class Run:
    """One that was started."""

    process: subprocess.Popen
    pid: int
    files: tuple[Path, Path]
    last: list[str] = field(default_factory=list)

    def ready(self) -> bool:
        """When it is held. False where it ended before it came there."""
        self.last = _line(self.process)
        return self.last == ["ready"]

    def go(self) -> None:
        self.process.stdin.write(_GO)

    def ended(self) -> Ended:
        """-9 of one that was killed."""
        ended = self.last[:1] == ["ended"]
        word, status = self.last if ended else _line(self.process)
        assert word == "ended", word
        out, err = (path.read_text() for path in self.files)
        return Ended(os.waitstatus_to_exitcode(int(status)), out, err)

    def killed(self, after_s: float | None) -> tuple[Ended, float]:
        """By SIGKILL so long after now, unless it ended before; and how long processes of it went
        on. None: not at all."""
        family = set()
        if not select.select([self.process.stdout], [], [], after_s)[0]:
            # While it stands still it starts nobody, so its family is complete.
            with suppress(ProcessLookupError):  # it ended just now
                os.kill(self.pid, signal.SIGSTOP)
                family = descendants(self.pid)
                os.kill(self.pid, signal.SIGKILL)
        ended = self.ended()
        return ended, outlived(family)


class Forked:
    """As `Command`; one run at a time. A context manager."""

    def __init__(self, command: Command) -> None:
        self.command, self.home = command, command.home
        self._folder = tempfile.TemporaryDirectory(prefix="diskwright-forked-")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "support.forked"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,  # what was not read yet is seen by select()
            env={**command.environment, "PYTHONPATH": str(Path(__file__).parents[1])},
        )
        assert _line(self._process) == ["there"]

    def __enter__(self) -> Forked:
        return self

    def __exit__(self, *_error) -> None:
        self.close()

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
        self._folder.cleanup()

    @property
    def environment(self) -> dict[str, str]:
        return self.command.environment

    def start(self, *arguments: str | Path, hold: str = "", home: Path | None = None) -> Run:
        """`home`: another person's or workstation's."""
        environment = dict(self.environment)
        if home is not None:
            environment |= Command(home).environment
        files = tuple(Path(self._folder.name, name) for name in ("out", "err"))
        value = {
            "arguments": [str(one) for one in arguments],
            "environment": environment,
            "hold": hold,
            "files": [str(path) for path in files],
        }
        self._process.stdin.write(json.dumps(value).encode() + b"\n")
        word, pid = _line(self._process)
        assert word == "pid", word
        return Run(self._process, int(pid), files)

    def __call__(self, *arguments: str | Path, **options) -> Ended:
        return self.start(*arguments, **options).ended()


def _line(process: subprocess.Popen) -> list[str]:
    line = process.stdout.readline().decode().split()
    assert line, "the server of forked runs is gone"
    return line


# --- the server -----------------------------------------------------------------------------------


def _serve() -> None:
    asked, told = os.dup(0), os.dup(1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    forking.import_all()
    os.write(told, b"there\n")
    while line := _read_line(asked):
        wanted = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _child(wanted, asked, told)
        status = os.waitpid(pid, 0)[1]
        os.write(told, f"ended {status}\n".encode())


def _read_line(descriptor: int) -> bytes:
    """Not a byte more: the next line may be for a child."""
    line = b""
    while not line.endswith(b"\n"):
        one = os.read(descriptor, 1)
        if not one:
            return b""
        line += one
    return line


def _child(wanted: dict, asked: int, told: int) -> None:
    def held() -> None:
        os.write(told, b"ready\n")
        assert _read_line(asked) == _GO

    def hold() -> None:
        if wanted["hold"] == START:
            held()
        elif wanted["hold"] == RUN:
            _hold_at_run(wanted["arguments"][1], held)

    os.write(told, f"pid {os.getpid()}\n".encode())
    environment = wanted["environment"]
    forking.run(
        wanted["arguments"],
        environment=environment,
        folder=environment["HOME"],
        streams=[
            os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600) for path in wanted["files"]
        ],
        keep=[asked, told],
        first=hold,
    )


def _hold_at_run(verb: str, held: Callable[[], None]) -> None:
    name, what = HELD[verb]
    module = importlib.import_module(f"diskwright.ops.library.{name}")
    there = getattr(module, what)

    def after(*given, **named):
        setattr(module, what, there)  # once: a verb may put several records
        held()
        return there(*given, **named)

    setattr(module, what, after)


if __name__ == "__main__":
    _serve()
