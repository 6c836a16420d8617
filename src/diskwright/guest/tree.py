"""The guest's files under one root, as the guest itself would see them.

Links are resolved here, inside the guest: an absolute target starts at the guest's root, and `..`
at the root stays there, so no name ever leads to a file of this machine.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from diskwright._values import Struct
from diskwright.guest.filesystems.base import GuestFs, Node, NodeKind
from diskwright.guest.reading import GuestReadError, NotThere, Unreadable
from diskwright.guest.stand_in import EmptyFs
from diskwright.guest.walking import Met, show, walk_below

MAX_LINKS = 40  # path_resolution(7): what Linux follows
MAX_ESCAPES = 100
MAX_STREAM = 1 << 30

_ESCAPED = re.compile(rb"\\x([0-9a-f]{2})")


class _Place(Struct, frozen=True):
    """Where a walk stands: `name` in its parent, of which `fs`, which node."""

    name: bytes
    fs: GuestFs
    node: Node


class _Step(Struct, frozen=True):
    """A name still to be walked; `link` is the "path -> target" that it comes from, if any."""

    name: bytes
    link: str | None


class GuestTree:
    """Paths are from the guest's root, and links in them are followed, at most 40 of them.

    Every method raises `NotThere` for a name that is not there and `Unreadable` where it can't be
    told. Paths that `names` gave lead back to their files, escaped or not.
    """

    def __init__(self, root: GuestFs) -> None:
        self._root = root
        self._mounts: dict[tuple[bytes, ...], GuestFs] = {}
        self._escapes: dict[str, None] = {}

    @property
    def escapes(self) -> tuple[str, ...]:
        """Links met so far that tried to climb above the root, as `path -> target`."""
        return tuple(self._escapes)

    def mount(self, path: str, fs: GuestFs) -> None:
        """Put `fs` over `path`; a mount point that is missing is made, as systemd does, with
        the folders above it, which are empty.

        The root itself can't be mounted over.
        """
        names = [name for name in path.encode("utf-8", "surrogateescape").split(b"/") if name]
        if not names:
            raise ValueError("the root is mounted already")
        known: tuple[bytes, ...] = ()
        missing: list[int] = []
        for i in range(len(names), 0, -1):
            try:
                places = self._walk("/" + "/".join(show(n) for n in names[:i]))
            except NotThere:
                missing.append(i)
                continue
            except GuestReadError:
                continue
            known = tuple(p.name for p in places[1:])
            missing = [n - i for n in missing]
            names = names[i:]
            break
        for i in missing:
            if i < len(names):
                self._mounts[(*known, *names[:i])] = EmptyFs()
        self._mounts[(*known, *names)] = fs

    def exists(self, path: str) -> bool:
        return self._kind(path) is not None

    def is_dir(self, path: str) -> bool:
        return self._kind(path) is NodeKind.DIR

    def is_file(self, path: str) -> bool:
        return self._kind(path) is NodeKind.FILE

    def names(self, path: str, limit: int = 10_000) -> list[str]:
        """Sorted; more than `limit` of them are too-large."""
        with _at(path):
            place = self._walk(path)[-1]
            if place.node.kind is not NodeKind.DIR:
                raise NotThere("is not a directory")
            found: list[str] = []
            for name in place.fs.names(place.node):
                if len(found) >= limit:
                    raise Unreadable("too-large", f"has more than {limit} names")
                found.append(show(name))
        return sorted(found)

    def link(self, path: str) -> str | None:
        """What the link at `path` says, which is not followed; None where it is none."""
        folder, _, name = path.rpartition("/")
        with _at(path):
            places = self._walk(folder)
            if places[-1].node.kind is not NodeKind.DIR:
                raise NotThere("leads through what is not a directory")
            place = self._descend(places, name.encode("utf-8", "surrogateescape"))
            if place.node.kind is not NodeKind.LINK:
                return None
            return show(place.fs.readlink(place.node))

    def size(self, path: str) -> int:
        """Bytes; what a directory's size means is its file system's affair."""
        with _at(path):
            return self._walk(path)[-1].node.size

    def read_bytes(self, path: str, limit: int) -> bytes:
        """A file of at most `limit` bytes, whole; a longer one is too-large, and not read."""
        with _at(path):
            place = self._file(path, limit)
            return place.fs.read(place.node, 0, place.node.size)

    def read_part(self, path: str, offset: int, length: int) -> bytes:
        """Of a file of any size; short only at its end."""
        with _at(path):
            place = self._file(path, None)
            wanted = min(length, place.node.size - offset)
            return place.fs.read(place.node, offset, wanted) if wanted > 0 else b""

    def read_text(self, path: str, limit: int = 1 << 20) -> str:
        """As UTF-8; bytes that are not become `\\xNN`."""
        return show(self.read_bytes(path, limit))

    def stream(
        self,
        path: str,
        block: int = 1 << 20,
        *,
        limit: int = MAX_STREAM,
        part: tuple[int, int] | None = None,
    ) -> Iterator[bytes]:
        """A file's bytes, `block` at a time; over `limit` it is too-large, as in `read_bytes`.

        `part` is an offset and a length: bytes from there on alone, as far as there are any.
        """
        with _at(path):
            place = self._file(path, limit)
            start, length = part or (0, place.node.size)
            end = min(start + length, place.node.size)
            for offset in range(start, end, block):
                yield place.fs.read(place.node, offset, min(block, end - offset))

    def below(self, path: str) -> Iterator[Met]:
        """The folder itself and all that is in it, a folder's names in order, each followed by what
        is in it. Links are met and not followed; what can't be told is met as its error.
        """
        with _at(path):
            places = self._walk(path)
        top = places[-1]
        yield from walk_below(tuple(p.name for p in places[1:]), top.fs, top.node, self._mounts)

    def _file(self, path: str, limit: int | None) -> _Place:
        place = self._walk(path)[-1]
        if place.node.kind is not NodeKind.FILE:
            raise Unreadable("not-a-file", f"is not a regular file but {place.node.kind}")
        if limit is not None and place.node.size > limit:
            raise Unreadable("too-large", f"has {place.node.size} bytes, {limit} are read")
        return place

    def _kind(self, path: str) -> NodeKind | None:
        with _at(path):
            try:
                return self._walk(path)[-1].node.kind
            except NotThere:
                return None

    def _walk(self, path: str) -> list[_Place]:
        """The places from the root to `path`, links resolved; the last one is never a link."""
        places = [_Place(b"", self._root, self._root.root())]
        todo = _steps(path.encode("utf-8", "surrogateescape"), None)
        links = 0
        while todo:
            step = todo.pop()
            if places[-1].node.kind is not NodeKind.DIR:
                raise NotThere("leads through what is not a directory")
            if step.name in (b"", b"."):
                continue
            if step.name == b"..":
                self._climb(places, step.link)
                continue
            place = self._descend(places, step.name)
            if place.node.kind is not NodeKind.LINK:
                places.append(place)
                continue
            links += 1
            if links > MAX_LINKS:
                raise Unreadable("guest-link-loop", f"leads through more than {MAX_LINKS} links")
            target = place.fs.readlink(place.node)
            origin = "/".join(show(p.name) for p in [*places, place])
            todo += _steps(target, f"{origin} -> {show(target)}")
            if target.startswith(b"/"):
                del places[1:]
        return places

    def _climb(self, places: list[_Place], link: str | None) -> None:
        if len(places) > 1:
            places.pop()
        elif link is not None and len(self._escapes) < MAX_ESCAPES:
            self._escapes[link] = None

    def _descend(self, places: list[_Place], name: bytes) -> _Place:
        here = places[-1]
        fs = self._mounts.get((*(p.name for p in places[1:]), name))
        if fs is not None:
            return _Place(name, fs, fs.root())
        for spelling in dict.fromkeys((name, _ESCAPED.sub(_unescape, name))):
            node = here.fs.child(here.node, spelling)
            if node is not None:
                return _Place(spelling, here.fs, node)
        raise NotThere("is not there")


def _steps(path: bytes, link: str | None) -> list[_Step]:
    """In reverse, so that the next one is popped from the end."""
    return [_Step(name, link) for name in reversed(path.split(b"/"))]


def _unescape(match: re.Match[bytes]) -> bytes:
    return bytes([int(match[1], 16)])


@contextmanager
def _at(path: str) -> Iterator[None]:
    """Tell an error that passes by which path it is about."""
    try:
        yield
    except GuestReadError as error:
        error.path = error.path or path
        raise
