"""Confined child processes that end with us, even when we are killed.

The kernel sends the parent-death signal when the *thread* that started a child ends, so every
child is started from one daemon thread that lives as long as the process.
"""

from __future__ import annotations

import json
import os
import queue
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import IO, Any, TypeVar

from diskwright import _bubblewrap, _confine
from diskwright._ways import Choice, Way, bubblewrap, way_of
from diskwright.errors import ConfinementUnavailable, SourceChanged, ToolFailed

T = TypeVar("T")

STDERR_LIMIT_BYTES = 64 << 10
_PIPE_BYTES = 1 << 20  # a process without privileges makes no larger one (pipe(7))
_KILL_WAIT_S = 10.0  # only a process in uninterruptible sleep takes longer

# Nothing of the caller's environment: messages in one language, no proxy, no LD_PRELOAD. A home
# (that nobody has), or Python looks it up in /etc/passwd and asks the name service.
ENVIRONMENT: Mapping[str, str] = {
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C",
    "HOME": "/nonexistent",
}

_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/nix/store")


class Rule:
    """One allowed file or folder: `rights` of "r" read, "w" write, "x" execute, "d" list.

    With `identity` (device, inode) it is allowed only if it is that file.
    """

    __slots__ = ("identity", "path", "rights")

    def __init__(self, path: str, rights: str, identity: tuple[int, int] | None = None) -> None:
        self.path = path
        self.rights = rights
        self.identity = identity


def tool_rules(tool: str) -> list[Rule]:
    """What a dynamically linked tool needs of the system besides its own files."""
    beside = os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(tool))), "lib")
    folders = [p for p in dict.fromkeys((*_LIBRARIES, beside)) if os.path.isdir(p)]
    rules = [Rule(tool, "rx"), Rule("/dev/null", "rw"), *(Rule(p, "rxd") for p in folders)]
    if os.path.exists("/etc/ld.so.cache"):
        rules.append(Rule("/etc/ld.so.cache", "r"))
    return rules


def tool_command(
    argv: Sequence[str],
    *,
    rules: Iterable[Rule],
    limits: Mapping[str, int],
    listen: int | None = None,
    unconfined: bool = False,
    confinement: Choice = "auto",
) -> list[str]:
    """The command line that runs the tool `argv` confined, as a child of this very process."""
    spec = {"argv": list(argv), "listen": listen, "keep": []}
    return _launcher(spec, rules, limits, way_of(confinement, unconfined=unconfined))


def call_command(
    function: str,
    arguments: Sequence[object],
    *,
    limits: Mapping[str, int],
    keep: Sequence[int] = (),
    question: int | None = None,
    unconfined: bool = False,
    confinement: Choice = "auto",
) -> list[str]:
    """The command line that calls "package.module:function" confined. `arguments` are JSON.

    It opens no file at all, whatever the way. A `question` is a socket in `keep` that it waits at.
    """
    spec = {"call": function, "arguments": list(arguments), "question": question}
    spec |= {"keep": list(keep), "listen": None}
    return _launcher(spec, [], limits, way_of(confinement, unconfined=unconfined))


def _launcher(
    spec: dict[str, Any], rules: Iterable[Rule], limits: Mapping[str, int], way: Way
) -> list[str]:
    if way == "bubblewrap":  # the launcher starts in its namespaces, whatever it becomes
        rules = [*rules, *tool_rules(sys.executable)]
    spec |= {
        "parent": os.getpid(),
        "way": way,
        "program": bubblewrap() if way == "bubblewrap" else None,
        "limits": {"CORE": 0, **limits},
        "rules": [{"path": r.path, "rights": r.rights, "identity": r.identity} for r in rules],
    }
    return [sys.executable, "-I", "-m", "diskwright._confine", json.dumps(spec)]


class ConfinedProcess:
    """A started child. Its stderr is collected, at most 64 KiB; its stdout, if asked, is a pipe."""

    def __init__(self, popen: subprocess.Popen[bytes], tool: str) -> None:
        self._popen = popen
        self._tool = tool
        self._stderr = bytearray()
        self._over: int | None = os.eventfd(0)  # tells the collector that the process has ended
        assert popen.stderr is not None
        self._collector = threading.Thread(
            target=self._collect,
            args=(popen.stderr, self._over),
            name=f"stderr of {tool}",
            daemon=True,
        )
        self._collector.start()

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def stdout(self) -> IO[bytes]:
        assert self._popen.stdout is not None
        return self._popen.stdout

    @property
    def alive(self) -> bool:
        return self._popen.poll() is None

    def wait(self, timeout_s: float) -> int | None:
        """The exit status (below 0: the signal that ended it), None while it still runs."""
        try:
            return _plain(self._popen.wait(timeout_s))
        except subprocess.TimeoutExpired:
            return None

    def stderr_text(self) -> str:
        """What it has said; all of it once it has ended."""
        if not self.alive:
            self._take_the_rest()
        return bytes(self._stderr).decode("utf-8", "backslashreplace").strip()

    def stop(self, *, grace_s: float = 0.0) -> None:
        """Ended when this returns: asked to, given `grace_s` (some don't hear), then killed.

        Killed with all of its group; whoever left that and holds the pipes is not waited for.
        """
        if grace_s > 0 and self.alive:
            self._popen.terminate()
            self.wait(grace_s)
        if self.alive:
            self._kill_group()
            if self.wait(_KILL_WAIT_S) is None:
                raise ToolFailed(self._tool, f"process {self.pid} can't be ended")
        self._take_the_rest()
        if self._over is not None:
            os.close(self._over)
            self._over = None
        if self._popen.stdout is not None:
            self._popen.stdout.close()

    def raise_if_refused(self, path: str) -> None:
        """Turn an end in the launcher itself into its error; any other end is the tool's own."""
        raise_if_refused(self._popen.poll(), self._tool, path, self.stderr_text())

    def _kill_group(self) -> None:
        """Only before it is waited for: until then nobody else gets its number."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def _take_the_rest(self) -> None:
        if self._over is not None:
            os.eventfd_write(self._over, 1)
        self._collector.join()

    def _collect(self, pipe: IO[bytes], over: int) -> None:
        """Until the pipe's end, or until `over`: then what is in it, though others hold it."""
        fd = pipe.fileno()
        os.set_blocking(fd, False)
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        poll.register(over, select.POLLIN)
        with pipe:
            last = False
            while not last:
                last = any(ready == over for ready, _ in poll.poll())
                try:
                    data = os.read(fd, _PIPE_BYTES)
                except BlockingIOError:
                    continue
                if not data:
                    break
                self._stderr += data[: STDERR_LIMIT_BYTES - len(self._stderr)]


def _plain(status: int) -> int:
    """Bubblewrap tells of a signal as shells do, by 128 and its number."""
    return 128 - status if status - 128 in signal.valid_signals() else status


def raise_if_refused(status: int | None, tool: str, path: str, stderr: str) -> None:
    """The launcher's own exit statuses as errors. `path` is the image in question."""
    reason = stderr.removeprefix("diskwright: ")
    if status is not None and _bubblewrap.refused(status, stderr):
        if _bubblewrap.source_changed(stderr):
            raise SourceChanged(path, "it went away, or another file has its name now")
        raise ConfinementUnavailable(reason)
    if status == _confine.NO_CONFINEMENT:
        raise ConfinementUnavailable(reason)
    if status == _confine.FILE_CHANGED:
        raise SourceChanged(path, "another file has its name now")
    if status in (_confine.NO_FILE, _confine.ENDED_ALONE):
        raise ToolFailed(tool, reason)


def spawn(
    command: Sequence[str],
    *,
    tool: str,
    pass_fds: Sequence[int] = (),
    stdout: bool = False,
    environment: Mapping[str, str] = ENVIRONMENT,
) -> ConfinedProcess:
    """Start a command made by `tool_command` or `call_command`; `tool` names it in errors."""

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if stdout else subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            pass_fds=pass_fds,
            env=dict(environment),
            cwd="/",
            start_new_session=True,  # a group of its own from its first moment, to be killed whole
        )

    return ConfinedProcess(on_spawner_thread(start), tool)


class _Spawner:
    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[Any] = queue.SimpleQueue()  # each with where its end goes
        self._thread = threading.Thread(target=self._serve, name="spawner", daemon=True)
        self._thread.start()

    def run(self, job: Callable[[], T]) -> T:
        answer: queue.SimpleQueue[T | BaseException] = queue.SimpleQueue()
        self._jobs.put((job, answer))
        result = answer.get()
        if isinstance(result, BaseException):
            raise result
        return result

    def _serve(self) -> None:
        while True:
            job, answer = self._jobs.get()
            try:
                answer.put(job())
            except BaseException as error:  # noqa: BLE001 - raised again by run()
                answer.put(error)


_lock = threading.Lock()
_spawner: _Spawner | None = None


def on_spawner_thread(job: Callable[[], T]) -> T:
    """Run a short `job` that starts a child, on the thread that lives as long as the process."""
    global _spawner  # noqa: PLW0603 - one thread a process is the point
    with _lock:
        if _spawner is None:
            _spawner = _Spawner()
        spawner = _spawner
    return spawner.run(job)


def _after_fork() -> None:
    """Threads do not survive a fork: the child starts its own spawner when it needs one."""
    global _lock, _spawner  # noqa: PLW0603
    _lock = threading.Lock()
    _spawner = None


os.register_at_fork(after_in_child=_after_fork)
