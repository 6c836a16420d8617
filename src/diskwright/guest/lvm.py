"""LVM2 physical volumes: the label, and the metadata of the volume group that each keeps."""

from __future__ import annotations

from dataclasses import dataclass, field

from diskwright.guest import lvm_layout as layout
from diskwright.guest.lvm_metadata import VolumeGroup, parse_group
from diskwright.guest.lvm_text import MAX_TEXT
from diskwright.guest.reading import Unreadable, damaged
from diskwright.guest.source import ByteSource
from diskwright.model.units import SECTOR

MAX_TEXTS = 16  # different ones on one disk; those of one group are alike


@dataclass(frozen=True, slots=True)
class Member:
    """A physical volume. `texts` passed their checksums; `errors` are of areas that did not."""

    uuid: str
    source: ByteSource
    keeps_metadata: bool
    texts: tuple[bytes, ...]
    errors: tuple[str, ...]


def read_member(source: ByteSource) -> Member:
    """Raises `Unreadable` where the label can't be believed."""
    header = _header(source)
    texts: list[bytes] = []
    errors: list[str] = []
    for area in header.metadata:
        try:
            text = _text(source, area)
        except Unreadable as error:
            errors.append(error.detail)
            continue
        if text is not None:
            texts.append(text)
    return Member(header.uuid, source, bool(header.metadata), tuple(texts), tuple(errors))


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


@dataclass(slots=True)
class Groups:
    """Of one disk: the newest description of each group. Texts that are alike are read once."""

    by_uuid: dict[str, VolumeGroup] = field(default_factory=dict)
    _known: dict[bytes, str] = field(default_factory=dict)

    def add(self, text: bytes) -> str:
        """Why the text is no description of a group; empty where it is one."""
        if text not in self._known:
            self._known[text] = self._read(text)
        return self._known[text]

    def of(self, pv: str) -> VolumeGroup | None:
        """The group that a physical volume is part of."""
        return next((group for group in self.by_uuid.values() if pv in group.pvs), None)

    def _read(self, text: bytes) -> str:
        if len(self._known) >= MAX_TEXTS:
            return f"there are more than {MAX_TEXTS} volume groups on the disk"
        try:
            group = parse_group(text)
        except Unreadable as error:
            return error.detail
        known = self.by_uuid.get(group.uuid)
        if known is None or group.seqno > known.seqno:
            self.by_uuid[group.uuid] = group
        return ""
