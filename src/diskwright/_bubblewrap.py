"""Confinement by bubblewrap, for kernels without Landlock: a process sees its files and no other.

It gets namespaces of its own for mounts, processes, network, IPC and host name. Its root is empty
and read only but for what is bound into it; there is no /proc, no /sys, and no device that was not
named. The system-call filter comes on top. Source: bwrap(1).
"""

from __future__ import annotations

import os
import select
import signal
import stat
import sys
from collections.abc import Iterator, Sequence
from typing import NamedTuple

OUTSIDE_PID = 0  # what a process without a number in one's namespace has: the parent of its first

# The first process in them is ours, not a reaper of bubblewrap's: its end is the end of all. They
# die with whoever started them; bubblewrap sees to that only when all is bound, and does not look
# whether it is too late, so that the launcher inside looks itself (`alive`). No user namespace for
# root, who needs none.
_NAMESPACES = (
    "--unshare-ipc",
    "--unshare-pid",
    "--unshare-net",
    "--unshare-uts",
    "--unshare-cgroup-try",
    "--as-pid-1",
    "--die-with-parent",
    "--new-session",
)


_MAX_LINKS = 40  # as many as the kernel follows


class _Bind(NamedTuple):
    fd: int
    mode: int
    writable: bool
    always: bool


class Mounts:
    """What will be there, bound by open descriptors: what a name becomes later changes nothing."""

    def __init__(self) -> None:
        self._bound: dict[str, _Bind] = {}
        self._folders: list[str] = []

    def add(self, path: str, fd: int, mode: int, *, writable: bool, pinned: bool) -> None:
        """`fd`, which stays open, appears as the absolute `path`; `mode` is as of stat.

        `pinned`: it must be that very file, though the folder around it may be there too.
        """
        if stat.S_ISDIR(mode):
            self._folders.append(path.rstrip("/") + "/")
        always = writable or pinned
        if always or path not in self._bound:
            self._bound[path] = _Bind(fd, mode, writable, always)

    def options(self) -> Iterator[str]:
        """Folders before what lies in them; what is there with its folder is not bound again.

        Descriptors that are named here are handed on, and closed by bubblewrap.
        """
        folders = tuple(self._folders)
        for path, bind in sorted(self._bound.items()):
            if not bind.always and path.startswith(folders):
                continue
            if stat.S_ISCHR(bind.mode) or stat.S_ISBLK(bind.mode):
                yield from ("--dev-bind", path, path)  # binds by descriptor are without devices
            else:
                os.set_inheritable(bind.fd, True)
                yield from ("--bind-fd" if bind.writable else "--ro-bind-fd", str(bind.fd), path)


def command(program: str, mounts: Mounts, argv: Sequence[str], *, held: int) -> list[str]:
    """The command line of bubblewrap that runs `argv`, and holds `held` open outside only.

    Root loses all rights over the system; that to read files of others it keeps, as it has it
    under Landlock. Others never had any.
    """
    rights = ["--cap-drop", "ALL"]
    if os.geteuid() == 0:
        rights += ["--cap-add", "CAP_DAC_OVERRIDE"]
    shown = [*mounts.options(), "--remount-ro", "/", "--chdir", "/"]
    outside = ["--json-status-fd", str(held)]
    return [program, *_NAMESPACES, *rights, *shown, *outside, "--", *argv]


def guard_start(parent: int) -> None:
    """Until the launcher inside has taken over: should `parent` end, all of this group ends.

    Bubblewrap's first process waits for a word of bubblewrap, for good where that was killed
    before. All that start, or are started, hold one end of a pipe; the guard waits at the other.
    """
    starting, started = os.pipe()
    parent_fd = os.pidfd_open(parent)
    if os.fork():
        os.close(parent_fd)
        os.close(starting)
        os.set_inheritable(started, True)
        return
    low, high = sorted((starting, parent_fd))
    os.closerange(0, low)  # among them what others wait for to be closed
    os.closerange(low + 1, high)
    os.closerange(high + 1, os.sysconf("SC_OPEN_MAX"))
    poll = select.poll()
    poll.register(starting, 0)
    poll.register(parent_fd, select.POLLIN)
    if any(fd == parent_fd for fd, _ in poll.poll()):
        os.killpg(0, signal.SIGKILL)
    os._exit(0)


def python_paths() -> Iterator[str]:
    """What this very interpreter needs to start again: its modules, and itself link by link."""
    library = os.path.join(sys.base_prefix, "lib")
    marker = os.path.join(sys.prefix, "pyvenv.cfg")
    yield from (path for path in dict.fromkeys((*sys.path, library, marker)) if os.path.isabs(path))
    path = sys.executable
    for _ in range(_MAX_LINKS):
        yield path
        if not os.path.islink(path):
            break
        path = os.path.join(os.path.dirname(path), os.readlink(path))


def refused(status: int, stderr: str) -> bool:
    """Whether bubblewrap itself ended so, before anything ran in it."""
    return status == 1 and stderr.startswith("bwrap: ")


def source_changed(stderr: str) -> bool:
    """Whether it was because a file went away or was swapped while it was being bound."""
    return "Can't find source path" in stderr or "Race condition" in stderr
