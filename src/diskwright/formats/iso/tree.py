"""The trees of ISO 9660: plain, Rock Ridge and Joliet, walked breadth first and in bounds."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from diskwright._values import Struct, field
from diskwright.formats.iso import layout
from diskwright.formats.iso.layout import Record, Volume
from diskwright.formats.iso.rock_ridge import Extension, RockRidge, extension_of, recognise
from diskwright.formats.iso.space import Space
from diskwright.model.iso import IsoEntry, IsoExtent, IsoKind, IsoTree

_SELF, _PARENT = b"\0", b"\1"  # names of the first two records of a directory


class TreeReader(Struct):
    """One tree of a volume. `level` is what its names and extents need of ISO 9660."""

    volume: Volume
    kind: IsoTree
    space: Space
    rock_ridge: RockRidge | None = None
    level: int = 1
    _waiting: deque[_Directory] = field(default_factory=deque)

    def walk(self) -> Iterator[IsoEntry]:
        """Every entry but the root, a directory before what is in it."""
        root = self.volume.root
        self._enter("", root.block + root.skipped, root.length, 0, self._offset(root))
        while self._waiting:
            yield from self._directory(self._waiting.popleft())

    def _enter(self, path: str, block: int, length: int, depth: int, at: int) -> None:
        self.space.directory(block, depth, at)
        self._waiting.append(_Directory(path, block * self.volume.block_size, length, depth))

    def _directory(self, directory: _Directory) -> Iterator[IsoEntry]:
        pending: list[tuple[Record, int]] = []  # extents of a file that goes on
        for record, at in self._records(directory):
            if record.name in (_SELF, _PARENT) or record.flags & layout.ASSOCIATED:
                continue
            self.space.entry()
            if pending and record.name != pending[0][0].name:
                break
            pending.append((record, at))
            if record.flags & layout.MULTI_EXTENT and not record.flags & layout.DIRECTORY:
                continue
            entry = self._entry(directory, pending, at)
            pending = []
            if entry is not None:
                yield entry
        if pending:
            at = pending[0][1]
            raise self.space.source.broken("extent-missing", "a file's last extent is missing", at)

    def _records(self, directory: _Directory) -> Iterator[tuple[Record, int]]:
        """Each with its offset. A record lies within one sector (6.8.1.1)."""
        self.space.directory_bytes(directory.length, directory.offset)
        for start in range(0, directory.length, layout.SECTOR):
            at = directory.offset + start
            sector = self.space.source.read(at, min(layout.SECTOR, directory.length - start))
            position = 0
            while position < len(sector) and sector[position]:
                end = position + sector[position]
                record = layout.parse_record(sector[position:end])
                if record is None:
                    detail = "a directory record does not fit its sector"
                    raise self.space.source.broken("directory-record", detail, at + position)
                yield record, at + position
                position = end

    def _entry(
        self, directory: _Directory, parts: list[tuple[Record, int]], at: int
    ) -> IsoEntry | None:
        record = parts[0][0]
        said = self._extension(record, at)
        if said.moved:
            return None
        path = self.space.path(directory.path, self._name(record, said), at)
        mtime = layout.short_date(record.date) if said.mtime is None else said.mtime
        if record.flags & layout.DIRECTORY or said.child_block is not None:
            self._descend(directory, path, record, said, at)
            return IsoEntry(path, IsoKind.DIRECTORY, 0, said.mode, mtime)
        if said.target is not None:
            self.space.text(said.target, at)
            return IsoEntry(path, IsoKind.LINK, 0, said.mode, mtime, said.target)
        note = said.note or ("interleaved" if record.unit else "")
        size = sum(part.length for part, _ in parts)
        if note:
            return IsoEntry(path, IsoKind.OTHER, size, said.mode, mtime, note=note)
        extents = self.space.extents([self._extent(part) for part, _ in parts], at)
        if len(parts) > 1:
            self.level = 3
        return IsoEntry(path, IsoKind.FILE, size, said.mode, mtime, extents=extents)

    def _descend(
        self, directory: _Directory, path: str, record: Record, said: Extension, at: int
    ) -> None:
        block, length = record.block + record.skipped, record.length
        if said.child_block is not None:
            block = said.child_block
            offset = block * self.volume.block_size
            # the placeholder has no length: the moved directory's own first record has
            head = self.space.source.read(offset, layout.SMALLEST_RECORD)
            own = layout.parse_record(self.space.source.read(offset, max(head[0], 1)))
            if own is None or own.name != _SELF:
                detail = "a moved directory is not where it should be"
                raise self.space.source.broken("directory-record", detail, offset)
            length = own.length
        self._enter(path, block, length, directory.depth + 1, at)

    def _extension(self, record: Record, at: int) -> Extension:
        if self.rock_ridge is None:
            return Extension()
        area = record.system_use[self.rock_ridge.skip :]
        return extension_of(area, self.space, self.volume.block_size, at)

    def _name(self, record: Record, said: Extension) -> str:
        if said.name is not None:
            return said.name.decode("utf-8", "replace")
        if self.kind is IsoTree.JOLIET:
            return _without_version(record.name.decode("utf-16-be", "replace"))
        name = _without_version(record.name.decode("utf-8", "replace"))
        self._judge(name, directory=bool(record.flags & layout.DIRECTORY))
        return name.removesuffix(".") or name

    def _judge(self, name: str, *, directory: bool) -> None:
        """Level 1: 8 characters and 3, directories 8 (10.1)."""
        stem, _, ending = name.partition(".")
        longest = 8 if directory else max(len(stem), 8 if len(ending) <= 3 else 9)
        if (directory and len(name) > 8) or longest > 8:
            self.level = max(self.level, 2)

    def _extent(self, record: Record) -> IsoExtent:
        return IsoExtent(self._offset(record), record.length)

    def _offset(self, record: Record) -> int:
        return (record.block + record.skipped) * self.volume.block_size


class _Directory(Struct, frozen=True):
    """`offset` and `length` in bytes of the file."""

    path: str
    offset: int
    length: int
    depth: int


def rock_ridge_of(volume: Volume, space: Space) -> RockRidge | None:
    offset = (volume.root.block + volume.root.skipped) * volume.block_size
    head = space.source.read(offset, layout.SMALLEST_RECORD)
    record = layout.parse_record(space.source.read(offset, max(head[0], 1)))
    if record is None or record.name != _SELF:
        return None
    return recognise(record.system_use, space, volume.block_size, offset)


def _without_version(name: str) -> str:
    """`A.TXT;1` is `A.TXT` (7.5.1)."""
    stem, mark, version = name.rpartition(";")
    return stem if mark and version.isdigit() else name
