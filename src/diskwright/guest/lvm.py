"""LVM2 physical volumes: the label, and the metadata of the volume group that each keeps."""

from __future__ import annotations

from diskwright._values import Struct, field
from diskwright.guest import lvm_layout as layout
from diskwright.guest.lvm_metadata import VolumeGroup, parse_group
from diskwright.guest.lvm_text import MAX_TEXT
from diskwright.guest.reading import Unreadable, damaged
from diskwright.guest.source import ByteSource
from diskwright.model.units import SECTOR

MAX_TEXTS = 8  # different ones on one disk; those of one group are alike


class Member(Struct, frozen=True):
    """A physical volume. `groups`: UUIDs of those that its own metadata describes, mostly one.

    `in_none`: it keeps the place for metadata, and has none. `error`: why one of its areas can't be
    believed, mostly empty.
    """

    uuid: str
    source: ByteSource
    groups: frozenset[str]
    in_none: bool
    error: str


class Groups(Struct):
    """Of one disk: the newest description of each group. Texts that are alike are read once."""

    by_uuid: dict[str, VolumeGroup] = field(default_factory=dict)
    _known: dict[tuple[int, int], VolumeGroup | Unreadable] = field(default_factory=dict)

    def add(self, text: bytes) -> VolumeGroup:
        """Raises `Unreadable` where the text describes no group."""
        key = (len(text), hash(text))
        if key not in self._known:
            if len(self._known) >= MAX_TEXTS:
                raise Unreadable("too-large", f"there are more than {MAX_TEXTS} volume groups")
            self._known[key] = self._read(text)
        known = self._known[key]
        if isinstance(known, Unreadable):
            raise damaged(known.detail)
        return known

    def of(self, member: Member) -> VolumeGroup | None:
        """The group that a physical volume is part of."""
        return next((group for group in self.by_uuid.values() if is_part(member, group)), None)

    def _read(self, text: bytes) -> VolumeGroup | Unreadable:
        try:
            group = parse_group(text)
        except Unreadable as error:
            return error
        known = self.by_uuid.get(group.uuid)
        if known is None or group.seqno > known.seqno:
            self.by_uuid[group.uuid] = group
        return group


def is_part(member: Member, group: VolumeGroup) -> bool:
    """What a physical volume says of itself counts more than what others say of it."""
    return member.uuid in group.pvs and (not member.groups or group.uuid in member.groups)


def read_member(source: ByteSource, groups: Groups) -> Member:
    """Adds what it says to `groups`. Raises `Unreadable` where the label can't be believed."""
    header = _header(source)
    described: set[str] = set()
    errors: list[str] = []
    for area in header.metadata:
        try:
            text = _text(source, area)
            if text is not None:
                described.add(groups.add(text).uuid)
        except Unreadable as failure:
            errors.append(failure.detail)
    in_none = bool(header.metadata) and not described and not errors
    return Member(header.uuid, source, frozenset(described), in_none, "; ".join(errors[:1]))


def _header(source: ByteSource) -> layout.PvHeader:
    for number in range(layout.LABEL_SECTORS):
        header = layout.parse_label(source.read(number * SECTOR, SECTOR), number)
        if header is not None:
            return header
    raise damaged("no label of a physical volume")


def _text(source: ByteSource, area: layout.Area) -> bytes | None:
    ring = source.window(area.offset, area.length)
    place = layout.parse_area_header(ring.read(0, layout.AREA_HEADER_SIZE), area)
    if place is None:
        return None
    if place.length > MAX_TEXT:
        raise Unreadable("too-large", f"metadata of {place.length} bytes")
    before_end = min(place.length, ring.size - place.offset)
    text = ring.read(place.offset, before_end)
    text += ring.read(layout.AREA_HEADER_SIZE, place.length - before_end)
    if layout.checksum(text) != place.checksum:
        raise damaged("the metadata has a wrong checksum")
    return text
