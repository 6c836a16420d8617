"""The files below a folder of a guest, each with a digest of its bytes: bounded, and told where."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable

from diskwright._values import Struct, field
from diskwright.guest.filesystems.base import GuestFs, Node, NodeKind
from diskwright.guest.reading import GuestReadError, Unreadable
from diskwright.guest.tree import GuestTree
from diskwright.guest.walking import Met, show
from diskwright.model.examined import EntryKind, FileEntry, FileListing, Unlisted
from diskwright.model.units import GIB, MIB

_BLOCK = MIB
_MAX_NOTES = 1000
_PERMISSIONS = 0o7777
_ENTRY = 90  # bytes that an entry takes in an answer besides its texts


class Bounds(Struct, frozen=True):
    """`met`: files, links and folders; `file_bytes` of one file, `total_bytes` of all together;
    `told`: bytes that the list itself takes in an answer.
    """

    met: int
    file_bytes: int
    total_bytes: int
    seconds: float
    told: int = 64 * MIB


SETTINGS = Bounds(20_000, 16 * MIB, 256 * MIB, 8)
EVERY = Bounds(200_000, 16 * GIB, 64 * GIB, 240)
# What `EVERY` may fetch from the disk, with what file systems say of themselves
MOST_BYTES, MOST_CALLS = 96 * GIB, 50_000_000


class _Enough(Exception):
    """The bounds are reached; says which."""


def list_files(
    tree: GuestTree, below: str, bounds: Bounds, *, clock: Callable[[], float] = time.monotonic
) -> FileListing:
    """Regular files and links; a link is not followed, what is mounted is. Raises nothing."""
    listing = _Listing(tree, bounds, clock)
    end = listing.walk(below)
    return FileListing(below, tuple(listing.entries), tuple(listing.unread), end)


class _Listing(Struct):
    tree: GuestTree
    bounds: Bounds
    clock: Callable[[], float]
    entries: list[FileEntry] = field(default_factory=list)
    unread: list[Unlisted] = field(default_factory=list)
    met: int = 0
    told: int = 0
    left: int = 0  # bytes
    until: float = 0

    def walk(self, below: str) -> str | None:
        """Where it ended early, if it did."""
        self.left = self.bounds.total_bytes
        self.until = self.clock() + self.bounds.seconds
        path = below
        try:
            for met in self.tree.below(below):
                path = met.path
                self._meet(met)
        except _Enough as bound:
            self.unread.append(Unlisted(path, f"not listed from here on: {bound}"))
            return path
        except GuestReadError as error:
            self.unread.append(Unlisted(path, error.detail))
        return None

    def _meet(self, met: Met) -> None:
        self.met += 1
        if self.met > self.bounds.met:
            raise _Enough(f"there are more than {self.bounds.met} files, links and folders")
        self._check_time()
        if met.fs is None or met.node is None:
            self._note(met.path, met.error or Unreadable("damaged", "can't be read"))
        elif met.node.kind in (NodeKind.FILE, NodeKind.LINK):
            entry = self._entry(met.path, met.fs, met.node)
            texts = (entry.path, entry.content, entry.note)
            self.told += _ENTRY + sum(len(json.dumps(text)) for text in texts)
            if self.told > self.bounds.told:
                raise _Enough(f"their list takes more than {self.bounds.told} bytes")
            self.entries.append(entry)

    def _entry(self, path: str, fs: GuestFs, node: Node) -> FileEntry:
        kind = EntryKind.FILE if node.kind is NodeKind.FILE else EntryKind.LINK
        content = note = ""
        try:
            content = self._digest(fs, node) if kind is EntryKind.FILE else show(fs.readlink(node))
        except Unreadable as error:
            if error.code == "budget":
                raise _Enough(error.detail) from error
            note = error.detail
        return FileEntry(path, kind, node.size, node.mode & _PERMISSIONS, content, note)

    def _digest(self, fs: GuestFs, node: Node) -> str:
        if node.size > self.bounds.file_bytes:
            most = self.bounds.file_bytes
            raise Unreadable("too-large", f"has {node.size} bytes, {most} are read")
        if node.size > self.left:
            raise _Enough(f"together they have more than {self.bounds.total_bytes} bytes")
        self.left -= node.size
        digest = hashlib.sha256()
        for offset in range(0, node.size, _BLOCK):
            self._check_time()
            digest.update(fs.read(node, offset, min(_BLOCK, node.size - offset)))
        return digest.hexdigest()

    def _check_time(self) -> None:
        if self.clock() > self.until:
            raise _Enough(f"it took more than {self.bounds.seconds:g} s")

    def _note(self, path: str, error: Unreadable) -> None:
        if error.code == "budget":
            raise _Enough(error.detail)
        if len(self.unread) >= _MAX_NOTES:
            raise _Enough(f"there are more than {_MAX_NOTES} places that can't be read")
        self.unread.append(Unlisted(path, error.detail))
