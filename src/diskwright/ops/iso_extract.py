"""iso extract: files of an ISO into a folder; never outside it, and no more than was allowed.

The confined child names paths and extents and is not believed: here every name, link and extent is
checked again, all before the first byte is written. The bytes are read from the ISO itself.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Protocol

from diskwright._values import Struct
from diskwright.errors import ImageBroken, ImageUnsafe, InputUnreadable
from diskwright.formats.identity import check_identity
from diskwright.formats.iso.links import Links
from diskwright.model.image import FileIdentity
from diskwright.model.iso import ExtractedIso, IsoEntry, IsoKind, IsoTree, LeftOut, ListedIso
from diskwright.model.times import LAST_TIME
from diskwright.model.units import MIB, format_size
from diskwright.ops.iso import IsoReader, chosen, opened_iso
from diskwright.ports import CancelToken, Progress

_PIECE = 1 * MIB
_NAME_BYTES = 255  # NAME_MAX of Linux
_TARGET_BYTES = 4_095  # PATH_MAX less its NUL

# Tools store equal files once, so that honest files sum up to some times the ISO's size: install
# media with several editions come to 3 times.
EXPANSION = 4

Names = tuple[str, ...]


class TreeSink(Protocol):
    """Where entries go. Leaving its context without `finish` removes what was made."""

    def folder(self, names: Names, *, mode: int | None, mtime: int | None) -> None: ...
    def file(
        self,
        names: Names,
        pieces: Iterable[tuple[int, bytes]],
        *,
        size: int,
        mode: int | None,
        mtime: int | None,
    ) -> None: ...
    def link(self, names: Names, target: str, *, mtime: int | None) -> None: ...
    def finish(self) -> None: ...


class ExtractRequest(Struct, frozen=True):
    """`paths` empty: all. `max_size`: of all files, in bytes; None: EXPANSION times the ISO."""

    path: str
    target: str
    paths: tuple[str, ...] = ()
    tree: IsoTree | None = None
    max_size: int | None = None


class Planned(Struct, frozen=True):
    """What will be made, a folder before what is in it, and what will not."""

    entries: tuple[tuple[Names, IsoEntry], ...]
    left_out: tuple[LeftOut, ...]
    size: int


def extract_iso(
    request: ExtractRequest,
    *,
    reader: IsoReader,
    folder: Callable[[str, FileIdentity], AbstractContextManager[TreeSink]],
    progress: Progress,
    cancel: CancelToken,
) -> ExtractedIso:
    """`folder` makes the output, of its path and of the file that it must not replace.

    Raises InputError, UsageError, ToolError, TargetExists, OutputError and Cancelled.
    """
    with opened_iso(request.path) as (fd, identity):
        listed = reader.entries(fd, identity, request.tree)
        planned = plan(listed, request, identity)
        progress.phase("extract", planned.size)
        with folder(request.target, identity) as output:
            for names, entry in planned.entries:
                cancel.check()
                mtime = _sane(entry.mtime)
                if entry.kind is IsoKind.DIRECTORY:
                    output.folder(names, mode=entry.mode, mtime=mtime)
                elif entry.kind is IsoKind.LINK:
                    output.link(names, entry.target or "", mtime=mtime)
                else:
                    pieces = _pieces(fd, identity, entry, progress, cancel)
                    output.file(names, pieces, size=entry.size, mode=entry.mode, mtime=mtime)
            check_identity(identity)
            output.finish()
    return _made(listed, request.target, planned)


def plan(listed: ListedIso, request: ExtractRequest, identity: FileIdentity) -> Planned:
    """Names made safe, clashes and escaping links left out, sizes and extents within bounds.

    Raises ImageBroken where an extent is not in the file, ImageUnsafe above the size allowed.
    """
    wanted = {id(entry) for entry in chosen(listed, request.paths)}
    left_out: list[LeftOut] = []
    placed: dict[Names, IsoEntry] = {}
    for entry in listed.entries:
        names = tuple(map(_safe, entry.path.split("/")))
        reason = _unfit(names, entry, placed)
        if not reason:
            placed[names] = entry
        elif id(entry) in wanted:
            left_out.append(LeftOut(entry.path, reason))
    links = Links(
        {
            "/".join(names): entry.target or ""
            for names, entry in placed.items()
            if entry.kind is IsoKind.LINK
        }
    )
    kept: dict[Names, IsoEntry] = {}
    for names, entry in placed.items():
        if id(entry) not in wanted:
            continue
        if entry.kind is IsoKind.LINK and links.escapes("/".join(names)):
            left_out.append(LeftOut(entry.path, "a symbolic link that leads outside"))
            continue
        for length in range(1, len(names)):  # the folders that it lies in
            kept.setdefault(names[:length], placed[names[:length]])
        kept[names] = entry
    size = sum(_checked_size(entry, identity) for entry in kept.values())
    _check_total(size, request, identity)
    return Planned(tuple(sorted(kept.items(), key=_by_names)), tuple(left_out), size)


def _by_names(item: tuple[Names, IsoEntry]) -> Names:
    return item[0]


def _safe(name: str) -> str:
    """What is no printable character, a terminal might obey: it becomes `_`."""
    return "".join(char if char.isprintable() else "_" for char in name)


def _unfit(names: Names, entry: IsoEntry, placed: dict[Names, IsoEntry]) -> str:
    """Why the entry can't be made; empty if it can. Its folder was looked at before it."""
    if any(name in ("", ".", "..") for name in names):
        return "a name that is none"
    if any(len(os.fsencode(name)) > _NAME_BYTES for name in names):
        return "a name that is too long for a file system"
    if names in placed:
        return "another entry has its name"
    parent = placed.get(names[:-1])
    if len(names) > 1 and (parent is None or parent.kind is not IsoKind.DIRECTORY):
        return "its folder was left out"
    if entry.kind is IsoKind.OTHER:
        return entry.note or "neither a file nor a folder"
    if entry.kind is IsoKind.LINK:
        target = entry.target or ""
        if not target.isprintable() or not 0 < len(os.fsencode(target)) <= _TARGET_BYTES:
            return "a symbolic link with a target that can't be made"
    return ""


def _checked_size(entry: IsoEntry, identity: FileIdentity) -> int:
    if entry.kind is not IsoKind.FILE:
        return 0
    total = 0
    for extent in entry.extents:
        offset = 0 if extent.offset is None else extent.offset
        end = offset if extent.offset is None else offset + extent.length
        if extent.length < 1 or offset < 0 or end > identity.size:
            raise ImageBroken(
                identity.path, "offset-past-end", f"{entry.path!a} lies past the end", offset
            )
        total += extent.length
    if total != entry.size:
        raise ImageBroken(
            identity.path, "extent-missing", f"{entry.path!a} is longer than its extents"
        )
    return total


def _check_total(size: int, request: ExtractRequest, identity: FileIdentity) -> None:
    limit = EXPANSION * identity.size if request.max_size is None else request.max_size
    if size > limit:
        raise ImageUnsafe(
            identity.path,
            "too-large",
            f"its files come to {format_size(size)}, more than {format_size(limit)}",
            hint_text="if you trust its sender and have the room: --max-size SIZE",
        )


def _pieces(
    fd: int, identity: FileIdentity, entry: IsoEntry, progress: Progress, cancel: CancelToken
) -> Iterator[tuple[int, bytes]]:
    """The file's bytes at their offsets, a piece at a time; zeros that are not stored are not."""
    at = 0
    for extent in entry.extents:
        if extent.offset is None:
            progress.advance(extent.length)
            at += extent.length
            continue
        offset, end = extent.offset, extent.offset + extent.length
        while offset < end:
            cancel.check()
            try:
                piece = os.pread(fd, min(_PIECE, end - offset), offset)
            except OSError as error:
                raise InputUnreadable(identity.path, error.strerror or str(error)) from error
            if not piece:
                raise InputUnreadable(identity.path, "it became shorter while it was read")
            yield at, piece
            progress.advance(len(piece))
            at += len(piece)
            offset += len(piece)


def _sane(mtime: int | None) -> int | None:
    return mtime if mtime is not None and 0 <= mtime <= LAST_TIME else None


def _made(listed: ListedIso, target: str, planned: Planned) -> ExtractedIso:
    kinds = [entry.kind for _, entry in planned.entries]
    return ExtractedIso(
        path=listed.path,
        target=os.path.abspath(target),
        tree=listed.tree,
        files=kinds.count(IsoKind.FILE),
        directories=kinds.count(IsoKind.DIRECTORY),
        links=kinds.count(IsoKind.LINK),
        size=planned.size,
        left_out=planned.left_out,
    )
