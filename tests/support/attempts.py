"""What a parser that was taken over might try.

Run as a script it confines itself just like the guest reader (with a second argument: as on a
kernel with that version of Landlock), then prints as JSON what each attempt gave: an errno, or
null where it succeeded.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
import threading
from collections.abc import Callable

_libc = ctypes.CDLL(None, use_errno=True)
_THREAD_STARTED = threading.Event()


def preload() -> None:
    """Nothing is imported late."""


def _call(number: int, *arguments: int) -> int | None:
    """A system call by its x86_64 number."""
    values = [ctypes.c_long(a) for a in arguments] + [ctypes.c_long(0)] * (6 - len(arguments))
    return ctypes.get_errno() if _libc.syscall(ctypes.c_long(number), *values) < 0 else None


def _errno_of(action) -> int | None:
    try:
        action()
    except OSError as error:
        return error.errno
    return None


def _files(victim: str) -> dict[str, Callable[[], object]]:
    """On a folder made for it, that holds a file `there`: harmless where nothing confines."""
    there = os.path.join(victim, "there")
    return {
        "read a file": lambda: os.open(there, os.O_RDONLY),
        "read a module": lambda: os.open(os.__file__, os.O_RDONLY),
        "list a folder": lambda: os.listdir(victim),
        "create a file": lambda: os.open(os.path.join(victim, "new"), os.O_CREAT | os.O_WRONLY),
        "cut a file short by opening it": lambda: os.open(there, os.O_RDONLY | os.O_TRUNC),
        "cut a file short by its name": lambda: os.truncate(there, 0),
        "open a file for ioctl alone": lambda: os.open(there, os.O_ACCMODE),
        "write a file": lambda: os.open(there, os.O_WRONLY),
        "make a folder": lambda: os.mkdir(os.path.join(victim, "folder")),
        "rename a file": lambda: os.rename(there, there),
        "change its mode": lambda: os.chmod(there, 0o600),
        "change its time": lambda: os.utime(there),
        "change its attributes": lambda: os.setxattr(there, "user.x", b"y"),
        "remove a file": lambda: os.unlink(there),
    }


FILES = tuple(_files(""))
# With arguments that the kernel refuses for another reason (EFAULT, EBADF, EINVAL) or that change
# nothing, so that these too are harmless where no filter stands.
CALLS = {
    "UDP socket": (41, 2, 2, 0),
    "UNIX socket": (41, 1, 1, 0),
    "netlink socket": (41, 16, 3, 0),
    "socketpair": (53, 1, 1, 0),
    "connect": (42, 0, 0, 0),
    "bind": (49, 0, 0, 0),
    "ptrace": (101, 99, 0, 0, 0),
    "read the parent's memory": (310, os.getppid(), 0, 0, 0, 0, 0),
    "signal the parent": (62, os.getppid(), 0),
    "signal a thread of the parent": (234, os.getppid(), os.getppid(), 0),
    "be told of input by a signal to the parent": (72, 99, 8, os.getppid()),
    "the same, of a socket": (16, 0, 0x8901, 0),
    "choose that signal": (72, 99, 10, 0),
    "priority of the parent": (141, 99, os.getppid(), 0),
    "shared memory": (29, 0, 0, 0),
    "message queue": (240, 0, 0, 0, 0),
    "become another user": (117, -1, -1, -1),
    "outlive the parent": (157, 1, 9),
    "fork": (56, 0x800, 0, 0, 0, 0),
    "limit another": (302, os.getppid() or 99, 7, 0, 0),
    "pidfd of the parent": (434, os.getppid(), 0),
    "io_uring": (425, 1, 0),
    "add_key": (248, 0, 0, 0, 0, 0),
    "keyctl": (250, 0, 0),
    "mount": (165, 0, 0, 0, 0, 0),
    "open_tree": (428, -100, 0, 1),
    "new namespaces": (272, 1),
    "clone into a user namespace": (56, 0x10000000 | 0x200, 0, 0, 0, 0),
    "setns": (308, 0, 0),
    "bpf": (321, 0, 0, 0),
    "userfaultfd": (323, 0),
    "perf events": (298, 0, 0, -1, -1, 0),
    "load a module": (313, 0, 0, 0),
    "kexec": (246, 0, 99, 0, 0),
    "open by handle": (304, 0, 0, 0),
    "accept": (288, 0, 0, 0, 0),
    "run a program": (59, 0, 0, 0),
}
ALLOWED = {
    "a thread": lambda: threading.Thread(target=_THREAD_STARTED.set).start(),
    "a signal to itself": lambda: _raise(_call(234, os.getpid(), os.getpid(), 0)),
    "its own limits": lambda: _raise(_call(302, 0, 7, 0, 0)),
    "reading what it was given": lambda: os.read(0, 1),
}


def _raise(number: int | None) -> None:
    if number is not None:
        raise OSError(number, os.strerror(number))


def main(what: str, victim: str) -> int:
    if what == "x32":
        _call(0x40000000 | 39)
    if what == "allocate":
        bytearray(1 << 30)
    if what == "spin":
        while True:
            pass
    answer = {name: _errno_of(action) for name, action in _files(victim).items()}
    answer |= {name: _call(*numbers) for name, numbers in CALLS.items()}
    answer |= {name: _errno_of(action) for name, action in ALLOWED.items()}
    print(json.dumps(answer), flush=True)
    return 0


def asked(given: int, what: str, victim: str) -> int:
    """As `main`, of a child that was started before its question. No other descriptor is open."""
    there = {number: _errno_of(lambda number=number: os.fstat(number)) for number in range(3, 32)}
    if [number for number, error in there.items() if error is None] != [given]:
        return 9
    return main(what, victim)


if __name__ == "__main__":
    from diskwright import _confine, _sandbox

    if len(sys.argv) > 2:
        oldest = int(sys.argv[2])
        _sandbox.landlock_abi = lambda: oldest
    sys.path.insert(0, os.path.dirname(__file__))
    sys.exit(_confine.main(sys.argv))
