"""inspect --diff: what changed from one image to another, by facts, packages and files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from diskwright._values import Struct
from diskwright.errors import UsageError
from diskwright.guest.answer import BELOW, CONFIGURATION, FILES, PACKAGES
from diskwright.model import codec
from diskwright.model.difference import (
    Change,
    Differences,
    FileChange,
    FileState,
    NotCompared,
    PackageChange,
)
from diskwright.model.examined import (
    EntryKind,
    Examined,
    FileEntry,
    FileListing,
    InstalledPackage,
    PackageKind,
    Software,
)
from diskwright.model.image import ImageFacts
from diskwright.ops.differing_facts import differing_facts
from diskwright.ops.opening import Source
from diskwright.ops.unread_facts import differing_guests
from diskwright.ports import GuestInspector

NO_DATABASE = "there is no package database of a known kind"
_FILE_SIZES = ("file_size", "allocated", "unpacked_size")


class Seen(Struct, frozen=True):
    """What is compared of one image."""

    path: str
    name: str  # of the disk, in a package
    image: ImageFacts
    examined: Examined


def see(source: Source, *, inspector: GuestInspector, files: bool) -> Seen:
    """With `files` every file of the guest, else those below /etc. Nothing is written."""
    if source.iso is not None:
        raise UsageError(
            f"{source.path}: is a medium (ISO), and disks are compared",
            f"see what is on it: diskwright iso list -- {source.path}",
        )
    examined = inspector.examine(source.disk, [PACKAGES, FILES if files else CONFIGURATION])
    source.unchanged()
    return Seen(source.path, source.name, source.facts, examined)


def compare(a: Seen, b: Seen) -> Differences:
    """What could not be read of either is told, and not taken for a difference."""
    of_images = differing_facts(_of_image(a), _of_image(b), "image")
    of_guests, unread = differing_guests(a.examined.guest, b.examined.guest)
    found = _Files(_listing(a), _listing(b))
    changes = list(found.changes())
    settings = [change for change in changes if _is_setting(change.path)]
    every = _listing(a).below == BELOW[FILES]
    return Differences(
        a.path,
        b.path,
        (*of_images, *of_guests),
        _packages(_software(a), _software(b)),
        tuple(settings),
        tuple(change for change in changes if not _is_setting(change.path)) if every else None,
        (*unread, *_unread(a, b), *found.not_compared),
        a.name,
        b.name,
    )


def _of_image(seen: Seen) -> dict[str, object]:
    """Without the sizes of the file: they differ between files of the same disk."""
    facts = codec.encode(seen.image)
    return {key: value for key, value in facts.items() if key not in _FILE_SIZES}


def _is_setting(path: str) -> bool:
    return path.startswith(BELOW[CONFIGURATION] + "/")


def _software(seen: Seen) -> Software:
    return seen.examined.software or Software()


def _listing(seen: Seen) -> FileListing:
    return seen.examined.files or FileListing(BELOW[CONFIGURATION])


def _unread(a: Seen, b: Seen) -> Iterator[NotCompared]:
    """Of file systems and packages; what is not known of files stands in their lists."""
    for image, seen in (("a", a), ("b", b)):
        for fs in seen.examined.guest.filesystems or ():
            if fs.may_lack:
                yield NotCompared(image, fs.place, fs.may_lack)
        software = _software(seen)
        unknown = () if software.databases else (NO_DATABASE,)
        for reason in software.unread or unknown:
            yield NotCompared(image, "packages", reason)


def _packages(a: Software, b: Software) -> tuple[PackageChange, ...] | None:
    if not (a.databases and b.databases):
        return None
    before, after = _versions(a.packages), _versions(b.packages)
    changes: list[PackageChange] = []
    for key in sorted(before.keys() | after.keys()):
        gone = sorted(before.get(key, set()) - after.get(key, set()))
        new = sorted(after.get(key, set()) - before.get(key, set()))
        if len(gone) == len(new) == 1:
            changes.append(PackageChange(Change.CHANGED, *key, gone[0], new[0]))
            continue
        changes += [PackageChange(Change.REMOVED, *key, before=version) for version in gone]
        changes += [PackageChange(Change.ADDED, *key, after=version) for version in new]
    return tuple(changes)


_Package = tuple[PackageKind, str, str]  # with a name and an architecture


def _versions(packages: Iterable[InstalledPackage]) -> Mapping[_Package, set[str]]:
    found: defaultdict[_Package, set[str]] = defaultdict(set)
    for package in packages:
        found[package.kind, package.name, package.architecture].add(package.full_version)
    return dict(found)


_Place = tuple[str, ...]  # a path's names: their order is that of a list


class _Files:
    """Two lists of files against each other. After `changes`, `not_compared` is whole."""

    def __init__(self, a: FileListing, b: FileListing) -> None:
        self._a, self._b = a, b
        ends = [_place(listing.end) for listing in (a, b) if listing.end is not None]
        self._end = min(ends, default=None)
        self._hidden = [{_place(u.path) for u in listing.unread} for listing in (a, b)]
        self.not_compared = [
            NotCompared(image, unlisted.path, unlisted.reason)
            for image, listing in (("a", a), ("b", b))
            for unlisted in listing.unread
        ]

    def changes(self) -> Iterator[FileChange]:
        before, after = _by_place(self._a.entries), _by_place(self._b.entries)
        for key in sorted(before.keys() | after.keys()):
            if self._end is not None and key[0] >= self._end:
                return
            yield from self._change(key[0], before.get(key), after.get(key))

    def _change(
        self, place: _Place, a: FileEntry | None, b: FileEntry | None
    ) -> Iterator[FileChange]:
        if a is not None and b is not None:
            content = self._content_differs(a, b)
            if content or a.mode != b.mode:
                yield FileChange(Change.CHANGED, a.path, _state(a), _state(b), content)
        elif a is not None and not self._is_hidden(place, 1):
            yield FileChange(Change.REMOVED, a.path, before=_state(a))
        elif b is not None and not self._is_hidden(place, 0):
            yield FileChange(Change.ADDED, b.path, after=_state(b))

    def _content_differs(self, a: FileEntry, b: FileEntry) -> bool:
        if a.kind is not b.kind or a.size != b.size:
            return True
        unread = [(image, e) for image, e in (("a", a), ("b", b)) if e.note]
        self.not_compared += [NotCompared(image, e.path, e.note) for image, e in unread]
        return not unread and a.content != b.content

    def _is_hidden(self, place: _Place, which: int) -> bool:
        """Whether it may be in that image all the same, in what was not read there."""
        hidden = self._hidden[which]
        return bool(hidden) and any(place[:n] in hidden for n in range(len(place) + 1))


def _place(path: str) -> _Place:
    return tuple(path.strip("/").split("/")) if path != "/" else ()


def _by_place(entries: Iterable[FileEntry]) -> dict[tuple[_Place, int], FileEntry]:
    """By a number too, where names of other bytes read the same."""
    found: dict[tuple[_Place, int], FileEntry] = {}
    for entry in entries:
        place, number = _place(entry.path), 0
        while (place, number) in found:
            number += 1
        found[place, number] = entry
    return found


def _state(entry: FileEntry) -> FileState:
    target = entry.content if entry.kind is EntryKind.LINK and not entry.note else None
    return FileState(entry.kind, entry.size, entry.mode, target)
