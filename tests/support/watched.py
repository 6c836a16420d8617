"""The command with all its children: how long it took, their memory at its peak, and who is left.

Memory is the sum of what is resident, pages that processes share counted in each: an upper bound.
"""

from __future__ import annotations

import os
import re
import select
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from support.command import Command, Ended

_LOOK_S = 0.005
_GRACE_S = 1.0  # what a run leaves is gone within a second
_PAGE = os.sysconf("SC_PAGE_SIZE")
_KIB = 1024


@dataclass
class Watched:
    """`peak` in bytes. `left`: process ids of children that still ran a second after the end."""

    ended: Ended
    seconds: float
    peak: int
    left: list[int]


@dataclass
class _Tree:
    root: int
    peak: int = 0
    seen: dict[int, str] = field(default_factory=dict)  # process id: when it started

    def look(self) -> None:
        pids = [self.root, *_descendants(self.root)]
        self.peak = max(self.peak, sum(map(_resident, pids)), *map(_most, pids))
        for pid in pids[1:]:
            self.seen.setdefault(pid, _started(pid))

    def left(self) -> list[int]:
        return [pid for pid, began in self.seen.items() if began and _started(pid) == began]


def watch(command: Command, *arguments: str | Path, **options: object) -> Watched:
    began = time.monotonic()
    process = command.start(*arguments, **options)
    tree = _Tree(process.pid)
    said: dict[str, str] = {}
    readers = [
        threading.Thread(target=lambda name=name, pipe=pipe: said.update({name: pipe.read()}))
        for name, pipe in (("out", process.stdout), ("err", process.stderr))
    ]
    for reader in readers:
        reader.start()
    handle = os.pidfd_open(process.pid)
    try:
        while not select.select([handle], [], [], _LOOK_S)[0]:
            tree.look()
    finally:
        os.close(handle)
    _, status = os.waitpid(process.pid, 0)
    seconds = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    for reader in readers:
        reader.join()
    for pipe in (process.stdout, process.stderr):
        pipe.close()
    ended = Ended(process.returncode, said["out"], said["err"])
    return Watched(ended, seconds, tree.peak, _left_after(tree))


def _left_after(tree: _Tree) -> list[int]:
    deadline = time.monotonic() + _GRACE_S
    for pid in tree.left():
        try:
            handle = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        select.select([handle], [], [], max(0.0, deadline - time.monotonic()))
        os.close(handle)
    return tree.left()


def _descendants(pid: int) -> list[int]:
    found: list[int] = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            found += map(int, Path(f"/proc/{pid}/task/{task}/children").read_text().split())
    except OSError:  # it has ended meanwhile
        return []
    return found + [deeper for child in found for deeper in _descendants(child)]


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    except (OSError, IndexError):
        return 0


def _most(pid: int) -> int:
    """The kernel's own figure since the program began; wait4(2) counts whoever forked it too."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) * _KIB if found else 0


def _started(pid: int) -> str:
    """Field 22 of proc(5) stat; empty where the process is gone, or a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]
