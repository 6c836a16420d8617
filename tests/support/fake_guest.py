"""A guest's file system in memory, and a tree over one or several of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from diskwright.guest.filesystems.base import Node, NodeKind
from diskwright.guest.reading import Unreadable
from diskwright.guest.tree import GuestTree
from diskwright.model.image import Problem


@dataclass(frozen=True)
class Link:
    target: str


@dataclass(frozen=True)
class Broken:
    """A file that can't be read."""

    code: str = "damaged"


@dataclass(frozen=True)
class Sparse:
    """A file of so many zeros."""

    size: int


@dataclass(frozen=True)
class Device:
    """No regular file."""


Content = str | bytes | Link | Broken | Sparse | Device | dict[bytes, "Content"]


class FakeFs:
    """`GuestFs` over paths from its root; folders are made as needed, an empty dict is one."""

    def __init__(
        self,
        files: Mapping[str, Content],
        *,
        fs_type: str = "ext4",
        uuid: str | None = None,
        label: str | None = None,
    ) -> None:
        self.type, self.uuid, self.label = fs_type, uuid, label
        self.size, self.free = 1 << 30, 1 << 29
        self.dirty: bool | None = False
        self.note = ""
        self.problems: tuple[Problem, ...] = ()
        self._root: dict[bytes, Content] = {}
        for path, content in files.items():
            *folders, name = path.encode().strip(b"/").split(b"/")
            here = self._root
            for folder in folders:
                inner = here.setdefault(folder, {})
                assert isinstance(inner, dict)
                here = inner
            here[name] = content.encode() if isinstance(content, str) else content

    def root(self) -> Node:
        return _node(self._root)

    def names(self, node: Node) -> Iterator[bytes]:
        assert isinstance(node.handle, dict)
        return iter(node.handle)

    def entries(self, node: Node) -> Iterator[tuple[bytes, Node]]:
        assert isinstance(node.handle, dict)
        return ((name, _node(content)) for name, content in node.handle.items())

    def child(self, node: Node, name: bytes) -> Node | None:
        assert isinstance(node.handle, dict)
        if self.type == "ntfs":  # whose names have no case
            name = next((n for n in node.handle if n.lower() == name.lower()), name)
        return _node(node.handle[name]) if name in node.handle else None

    def readlink(self, node: Node) -> bytes:
        assert isinstance(node.handle, Link)
        return node.handle.target.encode()

    def read(self, node: Node, offset: int, length: int) -> bytes:
        if isinstance(node.handle, Broken):
            raise Unreadable(node.handle.code, "its blocks are not to be read")
        if isinstance(node.handle, Sparse):
            return bytes(min(length, node.handle.size - offset))
        assert isinstance(node.handle, bytes)
        return node.handle[offset : offset + length]


def tree_of(files: Mapping[str, Content], *, fs_type: str = "ext4") -> GuestTree:
    return GuestTree(FakeFs(files, fs_type=fs_type))


def _node(content: Content) -> Node:
    if isinstance(content, dict):
        return Node(NodeKind.DIR, 0, 0o40755, content)
    if isinstance(content, Link):
        return Node(NodeKind.LINK, len(content.target), 0o120777, content)
    if isinstance(content, Device):
        return Node(NodeKind.OTHER, 0, 0o20666, content)
    size = content.size if isinstance(content, Sparse) else 1
    if isinstance(content, bytes):
        size = len(content)
    return Node(NodeKind.FILE, size, 0o100644, content)
