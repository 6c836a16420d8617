"""What every file system reader promises: the one interface behind which all of them stand."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Protocol

from diskwright._values import Struct
from diskwright.model.image import Problem


class NodeKind(StrEnum):
    FILE = "file"
    DIR = "dir"
    LINK = "link"
    OTHER = "other"  # device, pipe, socket


class Node(Struct, frozen=True):
    """One file. `size` in bytes; `mode` as stat(2) has it; `handle` is its file system's affair."""

    kind: NodeKind
    size: int
    mode: int
    handle: object


def past_end(size: int, place: int) -> tuple[Problem, ...]:
    """The problem of a file system of `size` bytes that has but `place`; none where it fits."""
    if size <= place:
        return ()
    detail = f"the file system has {size} bytes, its place {place}"
    return (Problem("filesystem-past-end", detail),)


class GuestFs(Protocol):
    """A file system, read only. Names are bytes without a slash; `.` and `..` are never listed.

    Every method raises `Unreadable` (without a path) for what can't be told, and nothing else;
    work and memory are bounded whatever the bytes say. `size` and `free` are bytes.
    """

    @property
    def type(self) -> str:
        """As mount(8) names it: ext4, vfat, …"""

    @property
    def uuid(self) -> str | None:
        """As blkid(8) and fstab(5) spell it."""

    @property
    def label(self) -> str | None: ...

    @property
    def size(self) -> int: ...

    @property
    def free(self) -> int | None: ...

    @property
    def dirty(self) -> bool | None:
        """It was not unmounted cleanly (None: not known)."""

    @property
    def note(self) -> str:
        """What the reader of these facts ought to know, in a sentence; mostly empty."""

    @property
    def problems(self) -> tuple[Problem, ...]: ...

    def root(self) -> Node: ...

    def names(self, node: Node) -> Iterator[bytes]:
        """The names in a directory, in any order, without reading what they name."""

    def entries(self, node: Node) -> Iterator[tuple[bytes, Node]]:
        """Names and what they name."""

    def child(self, node: Node, name: bytes) -> Node | None:
        """What a directory has under `name`; None where it has no such name."""

    def readlink(self, node: Node) -> bytes:
        """At most 4096 bytes."""

    def read(self, node: Node, offset: int, length: int) -> bytes:
        """Short only at the end of the file; holes give zeros. The caller bounds `length`."""
