"""All that lies below a folder, met one after another: names wait, and what they name is opened
when its turn comes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from diskwright._values import Struct
from diskwright.guest.filesystems.base import GuestFs, Node, NodeKind
from diskwright.guest.reading import NotThere, Unreadable

MAX_DEPTH = 128  # folders in each other
MAX_MEMBERS = 200_000  # names of one folder
MAX_WAITING = 64 << 20  # bytes of names, of all folders that are not through
_NAME = 64  # bytes that a name takes besides its own

Names = tuple[bytes, ...]


class Met(Struct, frozen=True):
    """What a walk has met: a `node` of `fs`, or an `error` where it can't be told what is there."""

    path: str
    fs: GuestFs | None = None
    node: Node | None = None
    error: Unreadable | None = None


class _Folder(Struct, frozen=True):
    """`waiting`: names in it that were not met yet, the next one last."""

    names: Names
    fs: GuestFs
    node: Node
    waiting: list[bytes]


def show(name: bytes) -> str:
    """A name or a target as text: bytes that are not UTF-8 become `\\xNN`."""
    return name.decode("utf-8", "backslashreplace")


def walk_below(
    names: Names, fs: GuestFs, node: Node, mounts: Mapping[Names, GuestFs]
) -> Iterator[Met]:
    """What `names` lead to, a `node` of `fs`, and all in it: a folder's names in order, each
    followed by what is in it."""
    yield Met(_path(names), fs, node)
    if node.kind is not NodeKind.DIR:
        return
    inside: list[_Folder] = []
    waiting = 0
    opened: _Folder | None = _Folder(names, fs, node, [])
    while opened or inside:
        if opened:
            try:
                opened.waiting.extend(_members(opened, mounts, MAX_WAITING - waiting))
                waiting += sum(map(_weight, opened.waiting))
                inside.append(opened)
            except Unreadable as error:
                yield Met(_path(opened.names), error=error)
            opened = None
            continue
        here = inside[-1]
        if not here.waiting:
            inside.pop()
            continue
        name = here.waiting.pop()
        waiting -= _weight(name)
        names = (*here.names, name)
        try:
            fs, node = _open(here, names, mounts)
        except NotThere:
            continue
        except Unreadable as error:
            yield Met(_path(names), error=error)
            continue
        yield Met(_path(names), fs, node)
        if node.kind is NodeKind.DIR:
            opened = _Folder(names, fs, node, [])


def _members(folder: _Folder, mounts: Mapping[Names, GuestFs], most: int) -> list[bytes]:
    """The last one first; `most` is how many bytes of names may wait."""
    if len(folder.names) >= MAX_DEPTH:
        raise Unreadable("too-large", f"is deeper than {MAX_DEPTH} folders")
    found = {mount[-1] for mount in mounts if mount[:-1] == folder.names}
    left = most - sum(map(_weight, found))
    for name in folder.fs.names(folder.node):
        if name in found:
            continue
        found.add(name)
        left -= _weight(name)
        if len(found) > MAX_MEMBERS:
            raise Unreadable("too-large", f"has more than {MAX_MEMBERS} names")
        if left < 0:
            raise Unreadable("too-large", "has too many names, with those of the folders above")
    return sorted(found, key=lambda name: (show(name), name), reverse=True)


def _open(folder: _Folder, names: Names, mounts: Mapping[Names, GuestFs]) -> tuple[GuestFs, Node]:
    mounted = mounts.get(names)
    if mounted is not None:
        return mounted, mounted.root()
    node = folder.fs.child(folder.node, names[-1])
    if node is None:
        raise NotThere("is not there")
    return folder.fs, node


def _weight(name: bytes) -> int:
    return _NAME + len(name)


def _path(names: Names) -> str:
    return "/" + "/".join(map(show, names))
