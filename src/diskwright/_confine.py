"""The launcher of confined processes: `python -I -m diskwright._confine SPEC`.

It limits and confines itself while it has one thread, then becomes a tool (mode `exec`) or calls
a function whose module was imported before (mode `call`). What it can't do it says in one line on
stderr, and ends with a status of its own, so that the parent knows a refusal from a failed tool.

SPEC is JSON in plain ASCII (bytes of file names that are no UTF-8 as surrogates):

    parent    pid of the process that asked; another parent means that it is gone
    way       "landlock"; "bubblewrap"; "inside": in the namespaces of bubblewrap already; "none":
              neither files nor calls are refused (the user trusts the file)
    program   of the way "bubblewrap": its absolute path
    alive     of the way "inside": a pipe that is held open by what started it
    rules     [{"path", "rights": of "r" "w" "x" "d", "identity": [device, inode] or null}]
    limits    {"AS": bytes, "CPU": s, ...}: RLIMIT_ names without the prefix
    keep      descriptors that stay open
    listen    a listening socket to hand over as LISTEN_FDS, or null
    argv      mode `exec`: the tool's absolute path and its arguments
    call      mode `call`: "package.module:function"; `preload()` of that module comes first
    arguments mode `call`: what the function is called with
    question  mode `call`: a socket, or null. Once all is imported, one message comes there: a
              descriptor, kept instead of `keep` and the first argument, and the others
"""

from __future__ import annotations

import gc
import json
import os
import resource
import select
import signal
import stat
import sys
from importlib import import_module
from typing import Any, NoReturn

from diskwright import _bubblewrap, _sandbox

ENDED_ALONE = 120  # the parent was gone before we began
NO_CONFINEMENT = 121  # this kernel can't confine
FILE_CHANGED = 122  # a path leads to another file than the one that was looked at
NO_FILE = 123  # a file that must be allowed, or the tool, is not there

_QUESTION_BYTES = 64 << 10
_LISTEN_FD = 3  # sd_listen_fds(3): the first one
_RIGHTS = {
    "r": _sandbox.READ_FILE,
    "w": _sandbox.WRITE_FILE,
    "x": _sandbox.EXECUTE,
    "d": _sandbox.READ_DIR,
}


class Refusal(Exception):
    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def main(argv: list[str]) -> int:
    spec: dict[str, Any] = json.loads(argv[1])
    try:
        # Inside the parent has no number: that it is gone shows by the pipe that only it holds
        parent_is_there = _sandbox.die_with_parent(signal.SIGKILL, spec["parent"])
        if not parent_is_there or ("alive" in spec and _is_alone(spec["alive"])):
            raise Refusal(ENDED_ALONE, "the parent is gone")
        if os.getpgrp() != os.getpid():
            os.setsid()  # a Ctrl-C at the terminal is the parent's to handle
        if spec["way"] == "bubblewrap":
            _enter_namespaces(spec, argv[1])
        call = _imported(spec["call"]) if "call" in spec else None
        if call is not None and spec["question"] is not None:
            spec |= _asked(spec["question"])
        listening = _only_descriptors(spec["keep"], spec["listen"])
        for name, value in spec["limits"].items():
            _limit(name, value)
        _confine(spec, parser=call is not None)
    except Refusal as refusal:
        sys.stderr.write(f"diskwright: {refusal}\n")
        return refusal.status
    if call is not None:
        return int(call(*spec["arguments"]) or 0)
    environment = dict(os.environ)
    if listening:
        environment |= {"LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid())}
    try:
        os.execve(spec["argv"][0], spec["argv"], environment)
    except OSError as error:
        sys.stderr.write(f"diskwright: {spec['argv'][0]}: {error.strerror}\n")
        return NO_FILE


def _enter_namespaces(spec: dict[str, Any], text: str) -> NoReturn:
    """Become bubblewrap, which starts this launcher again, inside: `text` (SPEC) is replaced."""
    _refuse_without_filter()
    _only_descriptors(spec["keep"], spec["listen"])
    mounts = _bubblewrap.Mounts()
    for rule in spec["rules"]:
        fd, found = _opened(rule)
        pinned = rule["identity"] is not None
        writable = "w" in rule["rights"]
        mounts.add(rule["path"], fd, found.st_mode, writable=writable, pinned=pinned)
    for path in _bubblewrap.python_paths():
        if os.path.exists(path):
            fd = os.open(path, os.O_PATH)
            mounts.add(path, fd, os.fstat(fd).st_mode, writable=False, pinned=False)
    alive, held = os.pipe()
    inside = {
        **spec,
        "way": "inside",
        "parent": _bubblewrap.OUTSIDE_PID,
        "alive": alive,
        "rules": [],
        "listen": None if spec["listen"] is None else _LISTEN_FD,
    }
    again = [json.dumps(inside) if word == text else word for word in sys.orig_argv[1:]]
    os.set_inheritable(alive, True)
    os.set_inheritable(held, True)
    line = _bubblewrap.command(spec["program"], mounts, [sys.executable, *again], held=held)
    _bubblewrap.guard_start(spec["parent"])
    try:
        os.execv(line[0], line)
    except OSError as error:
        raise Refusal(NO_CONFINEMENT, f"{line[0]}: {error.strerror}") from None


def _is_alone(alive: int) -> bool:
    """Whether nobody holds the other end of the pipe any more."""
    poll = select.poll()
    poll.register(alive, 0)
    return bool(poll.poll(0))


def _imported(name: str) -> Any:
    """The function, its module prepared: later no file can be opened."""
    module_name, _, function = name.partition(":")
    gc.disable()  # of code nothing becomes garbage: to look for it takes a tenth of the time
    module = import_module(module_name)
    module.preload()
    gc.freeze()
    gc.enable()
    return getattr(module, function)


def _asked(question: int) -> dict[str, Any]:
    """What to call the function with, and what to keep for it, as soon as the parent says it."""
    import socket  # a tool's launcher needs none

    with socket.socket(fileno=question) as sock:
        message, fds, _, _ = socket.recv_fds(sock, _QUESTION_BYTES, 1)
    if not fds:
        raise Refusal(ENDED_ALONE, "nothing was asked")
    return {"arguments": [*fds, *json.loads(message)], "keep": fds}


def _only_descriptors(keep: list[int], listen: int | None) -> bool:
    """Close every descriptor but the standard ones, `keep`, and `listen`, which becomes 3."""
    if listen is not None:
        os.dup2(listen, _LISTEN_FD)
    last = _LISTEN_FD if listen is not None else _LISTEN_FD - 1
    for fd in sorted(keep):
        os.closerange(last + 1, fd)
        last = fd
    os.closerange(last + 1, os.sysconf("SC_OPEN_MAX"))
    return listen is not None


def _limit(name: str, value: int) -> None:
    """Never above what the process has already."""
    number = getattr(resource, f"RLIMIT_{name}")
    _, hard = resource.getrlimit(number)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(number, (value, value))


def _confine(spec: dict[str, Any], *, parser: bool) -> None:
    _sandbox.no_new_privileges()
    ruleset = None
    if spec["way"] != "none":
        _refuse_without_filter()
    if spec["way"] == "landlock":
        try:
            ruleset = _sandbox.Ruleset()
        except OSError as error:
            raise Refusal(NO_CONFINEMENT, str(error)) from None
    for rule in spec["rules"]:
        _allow(ruleset, rule)
    if ruleset is not None:
        ruleset.enforce()
    if spec["way"] != "none":
        _sandbox.filter_calls(parser=parser)


def _refuse_without_filter() -> None:
    if not _sandbox.seccomp_usable():
        raise Refusal(NO_CONFINEMENT, "no system-call filter (seccomp) for this machine")


def _opened(rule: dict[str, Any]) -> tuple[int, os.stat_result]:
    """The identity is checked on the very inode that is allowed: a swapped name opens nothing."""
    try:
        fd = os.open(rule["path"], os.O_PATH | os.O_CLOEXEC)
    except OSError as error:
        raise Refusal(NO_FILE, f"{rule['path']!r}: {error.strerror}") from None
    found = os.fstat(fd)
    if rule["identity"] is not None and rule["identity"] != [found.st_dev, found.st_ino]:
        raise Refusal(FILE_CHANGED, f"{rule['path']!r} is another file now")
    return fd, found


def _allow(ruleset: _sandbox.Ruleset | None, rule: dict[str, Any]) -> None:
    fd, found = _opened(rule)
    try:
        if ruleset is not None:
            rights = 0
            for letter in rule["rights"]:
                rights |= _RIGHTS[letter]
            ruleset.allow(fd, rights, directory=stat.S_ISDIR(found.st_mode))
    finally:
        os.close(fd)


if __name__ == "__main__":
    status = main(sys.argv)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # nothing is left to be put away, and someone waits
