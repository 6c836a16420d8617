"""File systems that stand where a real one can't be read, so that what lies there is never taken
for missing."""

# ruff: noqa: ARG002 - an empty file system answers without looking

from __future__ import annotations

from collections.abc import Iterator

from diskwright.guest.filesystems.base import Node, NodeKind
from diskwright.guest.reading import Unreadable
from diskwright.model.image import Problem

_DIRECTORY = Node(NodeKind.DIR, 0, 0o40755, None)


class EmptyFs:
    """Holds nothing: the root of a guest of which only /boot is known."""

    type = "none"
    uuid: str | None = None
    label: str | None = None
    size = 0
    free: int | None = None
    dirty: bool | None = None
    note = ""
    problems: tuple[Problem, ...] = ()

    def root(self) -> Node:
        return _DIRECTORY

    def names(self, node: Node) -> Iterator[bytes]:
        return iter(())

    def entries(self, node: Node) -> Iterator[tuple[bytes, Node]]:
        return iter(())

    def child(self, node: Node, name: bytes) -> Node | None:
        return None

    def readlink(self, node: Node) -> bytes:
        raise Unreadable("not-a-file", "is no link")

    def read(self, node: Node, offset: int, length: int) -> bytes:
        raise Unreadable("not-a-file", "is no file")


class UnreadFs(EmptyFs):
    """Whoever looks into it learns why it is not read."""

    def __init__(self, reason: str) -> None:
        self.note = reason

    def root(self) -> Node:
        raise Unreadable("unsupported", self.note)
