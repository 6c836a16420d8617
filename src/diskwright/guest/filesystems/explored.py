"""What the readers that stand on fs_explorer have in common: pure Python, one thread.

Only this module and those of the file systems (`fat`, `ntfs`, `btrfs`) know fs_explorer, and its
version is pinned: the driver layer used here is below what its authors promise to keep. It is
imported late, since it is slow to import and most disks need little of it: `guest/late.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from diskwright.guest.filesystems.base import Node, NodeKind
from diskwright.guest.reading import damaged
from diskwright.guest.source import ByteSource
from diskwright.model.units import MIB

if TYPE_CHECKING:
    from fs_explorer import tree as fse_tree

MAX_LINK = 4096
_CHUNK = MIB


def access(source: ByteSource) -> Any:
    """`source` as fs_explorer's drivers read: shorter at the end."""
    from fs_explorer.io.source import RandomAccess

    class Access(RandomAccess):
        size = source.size

        def read_at(self, off: int, n: int) -> bytes:
            length = min(n, source.size - off)
            return source.read(off, length) if off >= 0 and length > 0 else b""

    return Access()


def context(cache_bytes: int, **options: Any) -> fse_tree.Context:
    """What a driver is told: `cache_bytes` for its tables; the source below caches blocks."""
    from fs_explorer.io.cache import Cache
    from fs_explorer.io.stats import NULL_STATS
    from fs_explorer.tree import Context

    cache = Cache(cache_bytes)
    return Context(cache=cache, stats=NULL_STATS, backend="pure", options=options)


@contextmanager
def translated(what: str) -> Iterator[None]:
    """What the driver raises for damage, as ours; `what` is read. Without it fs_explorer would load
    the native library that it brings along."""
    from fs_explorer.errors import PARSER_ERRORS, FsExplorerError
    from fs_explorer.io.cancel import scope

    failures: tuple[type[BaseException], ...] = (FsExplorerError, *PARSER_ERRORS)
    try:
        with scope(None, backend="pure"):
            yield
    except failures as error:
        said = str(error).removeprefix(f"{what.lower()}: ")
        raise damaged(f"{what}: {said}") from error


class Explored:
    """The part of a `GuestFs` that walks and reads; who inherits tells the facts.

    `spelling` is the codec error handler by which the driver makes text of names.
    """

    spelling = "surrogatepass"

    def __init__(self, tree: fse_tree.Tree, what: str) -> None:
        self._tree = tree
        self._what = what
        self._opened: tuple[object, Any] | None = None

    def root(self) -> Node:
        with translated(self._what):
            return self._node(self._tree.root())

    def names(self, node: Node) -> Iterator[bytes]:
        with translated(self._what):
            for child in self._tree.children(self._inner(node), stat=False):
                yield self._name(child)

    def entries(self, node: Node) -> Iterator[tuple[bytes, Node]]:
        with translated(self._what):
            for child in self._tree.children(self._inner(node)):
                yield self._name(child), self._node(child)

    def child(self, node: Node, name: bytes) -> Node | None:
        try:
            text = name.decode("utf-8", self.spelling)
        except UnicodeDecodeError:
            return None
        with translated(self._what):
            found = self._tree.lookup(self._inner(node), text)
            return None if found is None else self._node(found)

    def readlink(self, node: Node) -> bytes:
        if node.kind is not NodeKind.LINK:
            raise damaged(f"{self._what}: this is no link but a {node.kind}")
        with translated(self._what):
            target = self._tree.readlink(self._inner(node))
        if not target:
            raise damaged(f"{self._what}: a link without a target")
        return target.encode("utf-8", self.spelling)[:MAX_LINK]

    def read(self, node: Node, offset: int, length: int) -> bytes:
        end = min(offset + length, node.size)
        if offset < 0 or offset >= end:
            return b""
        with translated(self._what):
            read = self._data(node).read_at
            data = b"".join(read(at, min(_CHUNK, end - at)) for at in range(offset, end, _CHUNK))
        if len(data) != end - offset:
            raise damaged(f"{self._what}: the file has fewer bytes than it says")
        return data

    def _data(self, node: Node) -> Any:
        """The content of the file that was read last stays open: its map is made once."""
        if self._opened is None or self._opened[0] is not node.handle:
            self._opened = node.handle, self._tree.open_file(self._inner(node))
        return self._opened[1]

    def _name(self, inner: fse_tree.Node) -> bytes:
        name = inner.name.encode("utf-8", self.spelling)
        if name in (b"", b".", b"..") or b"/" in name or b"\0" in name:
            raise damaged(f"{self._what}: name in a directory")
        return name

    def _node(self, inner: fse_tree.Node) -> Node:
        from fs_explorer.entry import EntryType

        if not inner.statted and not inner.error:
            inner = self._tree.stat(inner)
        kinds = {
            EntryType.FILE: NodeKind.FILE,
            EntryType.DIR: NodeKind.DIR,
            EntryType.SYMLINK: NodeKind.LINK,
        }
        kind = kinds.get(inner.type, NodeKind.OTHER)
        return Node(kind, inner.size or 0, inner.mode or 0, inner)

    def _inner(self, node: Node) -> fse_tree.Node:
        from fs_explorer.tree import Node as InnerNode

        assert isinstance(node.handle, InnerNode)
        if node.handle.error:
            raise damaged(node.handle.error)
        return node.handle
