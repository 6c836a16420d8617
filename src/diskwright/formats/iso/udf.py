"""UDF on a disc image: from its anchor to the tree, in bounds.

anchor (sector 256)  ->  volume descriptors  ->  file set  ->  root's entry  ->  directories
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from diskwright._values import Struct, field
from diskwright.formats import limits
from diskwright.formats.iso import udf_layout as layout
from diskwright.formats.iso.layout import SECTOR
from diskwright.formats.iso.space import Space
from diskwright.formats.iso.udf_layout import Allocation, FileEntry
from diskwright.formats.source import ImageSource
from diskwright.model.iso import IsoEntry, IsoExtent, IsoKind

_CHAIN = 64  # further blocks of allocation descriptors of one file


class UnknownUdf(Exception):
    """Well formed, and not among what is read; the other trees may do."""


class UdfVolume(Struct, frozen=True):
    """`partitions` are (first byte, length), by the reference numbers that extents use."""

    revision: str
    volume_id: str
    block_size: int
    partitions: tuple[tuple[int, int], ...]
    root: Allocation

    @property
    def size(self) -> int:
        """Where the last partition ends, in bytes."""
        return max(start + length for start, length in self.partitions)


def read_volume(source: ImageSource) -> UdfVolume:
    """Raises ImageBroken, and UnknownUdf."""
    found = _descriptors(source)
    logical = found.get(layout.LOGICAL)
    if logical is None or layout.PARTITION not in found:
        raise source.broken("udf-descriptors", "UDF without a logical volume or a partition")
    block_size = int.from_bytes(logical[212:216], "little")
    if block_size != SECTOR:
        raise UnknownUdf(f"UDF with blocks of {block_size} bytes")
    partitions = _partitions(found[layout.PARTITION], logical, source)
    revision = layout.revision(int.from_bytes(logical[240:242], "little"))
    primary = found.get(layout.PRIMARY, bytes(SECTOR))
    volume = UdfVolume(
        revision,
        layout.dstring(primary[24:56]),
        block_size,
        partitions,
        Allocation(0, 0, 0, 0),
    )
    offset = _offset(volume, layout.long_ad(logical, 248), source, SECTOR)
    file_set = source.read(offset, SECTOR)
    if layout.tag_of(file_set) != layout.FILE_SET:
        raise source.broken("udf-file-set", "UDF's file set is not where it should be", offset)
    root = layout.long_ad(file_set, 400)
    return UdfVolume(revision, volume.volume_id, block_size, partitions, root)


def _descriptors(source: ImageSource) -> dict[int, bytes]:
    """The first of each kind in the main sequence that the anchor names, else the reserve's."""
    at = layout.ANCHOR_SECTOR * SECTOR
    anchor = source.read(at, SECTOR)
    if layout.tag_of(anchor) != layout.ANCHOR:
        raise source.broken("udf-anchor", "UDF's anchor is not at sector 256", at)
    length = int.from_bytes(anchor[16:20], "little")
    start = int.from_bytes(anchor[20:24], "little")
    found: dict[int, bytes] = {}
    for index in range(min(length // SECTOR, limits.ISO_DESCRIPTORS)):
        sector = source.read((start + index) * SECTOR, SECTOR)
        tag = layout.tag_of(sector)
        if tag in (None, layout.TERMINATOR):
            break
        found.setdefault(tag, sector)
    return found


def _partitions(
    partition: bytes, logical: bytes, source: ImageSource
) -> tuple[tuple[int, int], ...]:
    number = int.from_bytes(partition[22:24], "little")
    start = int.from_bytes(partition[188:192], "little") * SECTOR
    length = int.from_bytes(partition[192:196], "little") * SECTOR
    if start >= source.size:
        raise source.past_end("UDF's partition begins past the end")
    table = int.from_bytes(logical[264:268], "little")
    count = int.from_bytes(logical[268:272], "little")
    # type 1 (3/10.7.2): 6 bytes, the last two the partition's number
    if count != 1 or table < 6 or logical[440:442] != b"\1\6":
        raise UnknownUdf("UDF with a virtual, sparable or metadata partition")
    if int.from_bytes(logical[444:446], "little") != number:
        raise source.broken("udf-descriptors", "UDF maps a partition that is not there")
    return ((start, length),)


def _offset(volume: UdfVolume, place: Allocation, source: ImageSource, length: int) -> int:
    """The byte where `place` begins. Raises ImageBroken where it leaves its partition."""
    if place.partition >= len(volume.partitions):
        raise source.broken("udf-partition", "UDF names a partition that is not there")
    start, size = volume.partitions[place.partition]
    relative = place.block * volume.block_size
    if relative + length > size:
        raise source.past_end("UDF names blocks past its partition's end", start + relative)
    return start + relative


class UdfReader(Struct):
    """The tree of one volume."""

    volume: UdfVolume
    space: Space
    _waiting: deque[tuple[str, FileEntry, int, int]] = field(default_factory=deque)

    def walk(self) -> Iterator[IsoEntry]:
        """Every entry but the root, a directory before what is in it."""
        entry, at = self._file_entry(self.volume.root)
        if entry.file_type != layout.TYPE_DIRECTORY:
            raise self.space.source.broken("udf-root", "UDF's root is no directory", at)
        self._enter("", entry, 0, at)
        while self._waiting:
            path, entry, depth, at = self._waiting.popleft()
            yield from self._directory(path, self._content(entry, at), depth, at)

    def _enter(self, path: str, entry: FileEntry, depth: int, at: int) -> None:
        self.space.directory(at, depth, at)
        self.space.directory_bytes(entry.size, at)
        self._waiting.append((path, entry, depth, at))

    def _directory(self, parent: str, data: bytes, depth: int, at: int) -> Iterator[IsoEntry]:
        position = 0
        while position < len(data):
            found = layout.parse_identifier(data, position)
            if found is None:
                raise self.space.source.broken("directory-record", "a UDF entry is damaged", at)
            identifier, length = found
            position += length
            if identifier.characteristics & (layout.IS_DELETED | layout.IS_PARENT):
                continue
            self.space.entry()
            path = self.space.path(parent, identifier.name, at)
            entry, place = self._file_entry(identifier.icb)
            if entry.file_type == layout.TYPE_DIRECTORY:
                self._enter(path, entry, depth + 1, place)
            yield self._entry(path, entry, place)

    def _entry(self, path: str, entry: FileEntry, at: int) -> IsoEntry:
        if entry.file_type == layout.TYPE_DIRECTORY:
            return IsoEntry(path, IsoKind.DIRECTORY, 0, entry.mode, entry.mtime)
        if entry.file_type == layout.TYPE_LINK:
            if entry.size > limits.ISO_PATH_BYTES:
                raise self.space.source.broken("link-broken", "a link's target is too long", at)
            target = layout.link_target(self._content(entry, at))
            if target is None:
                raise self.space.source.broken("link-broken", "a link's target is cut off", at)
            self.space.text(target, at)
            return IsoEntry(path, IsoKind.LINK, 0, entry.mode, entry.mtime, target)
        note = layout.SPECIAL_TYPES.get(entry.file_type, "")
        if not note and entry.file_type not in layout.FILE_TYPES:
            note = f"UDF file type {entry.file_type}"
        if note:
            return IsoEntry(path, IsoKind.OTHER, 0, entry.mode, entry.mtime, note=note)
        extents = self.space.extents(self._extents(entry, at), at)
        return IsoEntry(path, IsoKind.FILE, entry.size, entry.mode, entry.mtime, extents=extents)

    def _file_entry(self, icb: Allocation) -> tuple[FileEntry, int]:
        source = self.space.source
        at = _offset(self.volume, icb, source, SECTOR)
        data = source.read(at, SECTOR)
        tag = layout.tag_of(data)
        if tag not in (layout.FILE_ENTRY, layout.EXTENDED_FILE_ENTRY):
            raise source.broken("udf-file-entry", "a UDF file entry is damaged", at)
        entry = layout.parse_file_entry(data, tag)
        if entry is None or entry.strategy != layout.STRATEGY:
            raise source.broken("udf-file-entry", "a UDF file entry is damaged", at)
        return entry, at

    def _content(self, entry: FileEntry, at: int) -> bytes:
        """All of a directory or a link; its size was checked."""
        source = self.space.source
        pieces = []
        extents = self._extents(entry, at)
        self.space.places(len(extents), at)
        for extent in extents:
            if extent.offset is None:
                raise source.broken("udf-file-entry", "a UDF directory has a hole", at)
            pieces.append(source.read(extent.offset, extent.length))
        return b"".join(pieces)

    def _extents(self, entry: FileEntry, at: int) -> list[IsoExtent]:
        """They cover exactly the entry's size."""
        source = self.space.source
        if entry.ad_kind == layout.INLINE:
            if len(entry.descriptors) < entry.size:
                raise source.broken("udf-file-entry", "inline data is cut off", at)
            return [IsoExtent(at + entry.descriptors_at, entry.size)] if entry.size else []
        found: list[IsoExtent] = []
        left = entry.size
        for place in self._allocations(entry, at):
            length = min(place.length, left)
            offset = None
            if place.kind == layout.RECORDED:
                offset = _offset(self.volume, place, source, length)
            if length:
                found.append(IsoExtent(offset, length))
            left -= length
            if not left:
                return found
        if left:
            raise source.broken("udf-file-entry", "a file is longer than its extents", at)
        return found

    def _allocations(self, entry: FileEntry, at: int) -> Iterator[Allocation]:
        """Until one of length 0, or the end; further blocks of them are followed."""
        source = self.space.source
        if entry.ad_kind not in (layout.SHORT, layout.LONG):
            raise source.broken("udf-file-entry", "unknown allocation descriptors", at)
        step = 8 if entry.ad_kind == layout.SHORT else 16
        data = entry.descriptors
        for _ in range(_CHAIN):
            following = None
            for position in range(0, len(data) - step + 1, step):
                place = (
                    layout.short_ad(data, position, 0)
                    if step == 8
                    else layout.long_ad(data, position)
                )
                if not place.length:
                    return
                if place.kind == layout.CONTINUED:
                    following = place
                    break
                yield place
            if following is None:
                return
            # an allocation extent descriptor (4/14.5): tag, previous place, length, descriptors
            block = source.read(_offset(self.volume, following, source, SECTOR), SECTOR)
            data = block[24 : 24 + int.from_bytes(block[20:24], "little")]
        raise source.broken("udf-file-entry", "a file's extents go on for ever", at)
