"""Runs of the command that cost no start: one server per process of tests forks them, any number
at a time.

    server  <- stdout, stderr and a pipe for the end; the length of a JSON object, and it
    pipe    -- the process id, then its wait status -> at_once()
"""

from __future__ import annotations

import atexit
import json
import os
import re
import select
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

_LENGTH = 8
_BLOCK = 1 << 16


@dataclass(frozen=True)
class AtOnce:
    """Asks the server. Used by several threads."""

    process: subprocess.Popen
    asks: socket.socket
    lock: threading.Lock

    @classmethod
    def begin(cls, environment: Mapping[str, str]) -> AtOnce:
        ours, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-m", "support.at_once", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env={**environment, "PYTHONPATH": str(Path(__file__).parents[1])},
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C is for the tests
            )
        return cls(process, ours, threading.Lock())

    def end(self) -> None:
        self.asks.close()
        self.process.wait()

    def run(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        folder: str,
        *,
        limit_s: float,
    ) -> tuple[int, str, str]:
        """Exit status, stdout, stderr; TimeoutExpired where it takes longer."""
        value = {"arguments": arguments, "environment": environment, "folder": folder}
        value["umask"] = _umask()
        asked = json.dumps(value).encode()
        ours, theirs = zip(*(os.pipe() for _ in range(3)), strict=True)
        with self.lock:
            try:
                socket.send_fds(self.asks, [len(asked).to_bytes(_LENGTH, "big")], theirs)
                self.asks.sendall(asked)
            finally:
                for descriptor in theirs:
                    os.close(descriptor)
        out, err, told = _read(ours, arguments, limit_s)
        _, status = told.split()
        return os.waitstatus_to_exitcode(int(status)), _text(out), _text(err)


def _read(ours: Sequence[int], arguments: Sequence[str], limit_s: float) -> list[bytes]:
    """To their ends, as the pipes of a process are."""
    found = {descriptor: bytearray() for descriptor in ours}
    deadline = time.monotonic() + limit_s
    with ExitStack() as closing, selectors.DefaultSelector() as selector:
        for descriptor in ours:
            closing.callback(os.close, descriptor)
            selector.register(descriptor, selectors.EVENT_READ)
        while selector.get_map():
            ready = selector.select(max(0, deadline - time.monotonic()))
            if not ready:
                _kill(found[ours[2]])
                raise subprocess.TimeoutExpired(arguments, limit_s)
            for key, _ in ready:
                block = os.read(key.fd, _BLOCK)
                found[key.fd] += block
                if not block:
                    selector.unregister(key.fd)
    assert len(found[ours[2]].split()) == 2, "the server of runs is gone"
    return [bytes(one) for one in found.values()]


def _kill(told: bytearray) -> None:
    """Unless it did not begin, or is over and has left somebody who holds its pipes."""
    if len(told.split()) == 1:
        with suppress(ProcessLookupError):
            os.kill(int(told), signal.SIGKILL)


def _text(data: bytes) -> str:
    """As a process's pipes are read in text mode."""
    return data.decode().replace("\r\n", "\n").replace("\r", "\n")


def _umask() -> int:
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"^Umask:\s*(\d+)$", status, re.MULTILINE)[1], 8)


# --- one for all the tests of a process -----------------------------------------------------------

_LANGUAGE = {"LC_ALL": "C.UTF-8"}
# What is looked at when Python starts or a module is imported, before a run has its environment
_EARLY = ("PYTHON", "LD_", "LC_", "LANG", "TZ", "TQDM_", "MALLOC_", "GLIBC_", "OPENSSL_")
_lock = threading.Lock()
_servers: list[AtOnce] = []


def suits(environment: Mapping[str, str]) -> bool:
    """Whether a process would start in it as the server has."""
    early = {name: value for name, value in environment.items() if name.startswith(_EARLY)}
    return early == _LANGUAGE


def server() -> AtOnce:
    with _lock:
        if not _servers:
            _servers.append(AtOnce.begin({**_LANGUAGE, "PATH": os.defpath, "HOME": "/nonexistent"}))
            atexit.register(_servers[0].end)
        return _servers[0]


# --- the server -----------------------------------------------------------------------------------


def _serve(asked: socket.socket) -> None:
    from support import forking

    forking.import_all()
    poll = select.poll()
    poll.register(asked, select.POLLIN)
    running: dict[int, tuple[int, int]] = {}  # by the descriptor of the process
    while True:
        for ready, _ in poll.poll():
            if ready != asked.fileno():
                poll.unregister(ready)
                os.close(ready)
                pid, told = running.pop(ready)
                _tell(told, b" %d" % os.waitpid(pid, 0)[1])
                os.close(told)
                continue
            length, streams, _, _ = socket.recv_fds(asked, _LENGTH, 3)
            if not length:
                return
            wanted = json.loads(asked.recv(int.from_bytes(length, "big"), socket.MSG_WAITALL))
            mask = wanted.pop("umask")
            *streams, told = streams
            pid = os.fork()
            if pid == 0:
                os.umask(mask)
                forking.run(**wanted, streams=streams)
            _tell(told, b"%d" % pid)
            for stream in streams:
                os.close(stream)
            process = os.pidfd_open(pid)
            poll.register(process, select.POLLIN)
            running[process] = pid, told


def _tell(told: int, what: bytes) -> None:
    with suppress(BrokenPipeError):  # whose time was over
        os.write(told, what)


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
