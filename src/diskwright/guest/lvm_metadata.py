"""A volume group as its metadata describes it: which extents of which physical volumes a volume is.

Source: lvm2 2.03, lib/format_text/import_vsn1.c; what is checked here is checked there, or by the
kernel's dm-linear and dm-stripe before they map anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from diskwright._values import Struct, replace
from diskwright.guest.lvm_text import Tree, Value, parse_text
from diskwright.guest.reading import Unreadable, damaged
from diskwright.model.canonical import MAX_INTEGER
from diskwright.model.units import KIB, SECTOR

MAX_VOLUMES = 256
LEAST_STRIPE = 4 * KIB

_NAME = re.compile(r"(?!\.\.?$)[0-9A-Za-z_.+][0-9A-Za-z_.+-]{0,126}")
_UUID = re.compile(r"[0-9A-Za-z]{6}(?:-[0-9A-Za-z]{4}){5}-[0-9A-Za-z]{6}")
_SEGMENT = re.compile(r"segment[0-9]+")
_HOLDS_NO_FILES = ("thin-pool", "cache-pool", "vdo-pool")
_CONTENTS = "Text Format Volume Group"


class PhysicalVolume(Struct, frozen=True):
    """`first_extent` in bytes from its start, of `extents` extents."""

    uuid: str
    first_extent: int
    extents: int


class Stripe(Struct, frozen=True):
    """`count` extents of a physical volume."""

    pv: str  # the UUID
    start: int
    count: int


class Segment(Struct, frozen=True):
    """`count` extents of a logical volume from `start` on, in turns of `stripe_size` bytes."""

    start: int
    count: int
    stripe_size: int
    stripes: tuple[Stripe, ...]


class LogicalVolume(Struct, frozen=True):
    """`refused` says why it can't be read, mostly nothing; then there are no segments."""

    name: str
    uuid: str
    extents: int
    visible: bool
    segments: tuple[Segment, ...]
    refused: str = ""


class VolumeGroup(Struct, frozen=True):
    """`extent_size` in bytes; `pvs` by UUID."""

    name: str
    uuid: str
    seqno: int
    extent_size: int
    pvs: dict[str, PhysicalVolume]
    volumes: tuple[LogicalVolume, ...]


def parse_group(raw: bytes) -> VolumeGroup:
    """Raises `Unreadable` where the group as a whole can't be believed."""
    root = parse_text(raw.rstrip(b"\0"))
    if root.get("contents") != _CONTENTS or root.get("version") != 1:
        raise damaged("metadata: it is not version 1 of a volume group")
    groups = [(name, section) for name, section in root.items() if isinstance(section, dict)]
    if len(groups) != 1:
        raise damaged(f"metadata: it describes {len(groups)} volume groups")
    name, section = groups[0]
    extent_size = _number(section, "extent_size", least=1) * SECTOR
    pvs = dict(_physical(key, of) for key, of in _sections(section, "physical_volumes"))
    if len({pv.uuid for pv in pvs.values()}) != len(pvs):
        raise damaged("metadata: two physical volumes have the same UUID")
    described = list(_sections(section, "logical_volumes"))
    volumes = [_logical(key, of, pvs, extent_size) for key, of in described]
    volumes = _without_snapshots(volumes, described)
    if sum(volume.visible for volume in volumes) > MAX_VOLUMES:
        raise Unreadable("too-large", f"metadata: more than {MAX_VOLUMES} volumes")
    volumes = _without_shared(volumes)
    if "EXPORTED" in _words(section, "status"):
        volumes = [_refuse(volume, "its volume group is exported") for volume in volumes]
    return VolumeGroup(
        name=_name(name),
        uuid=_uuid(section),
        seqno=_number(section, "seqno"),
        extent_size=extent_size,
        pvs={pv.uuid: pv for pv in pvs.values()},
        volumes=tuple(volumes),
    )


def _physical(key: str, section: Tree) -> tuple[str, PhysicalVolume]:
    first = _number(section, "pe_start") * SECTOR
    return key, PhysicalVolume(_uuid(section), first, _number(section, "pe_count"))


def _logical(
    name: str, section: Tree, pvs: dict[str, PhysicalVolume], extent_size: int
) -> LogicalVolume:
    visible = "VISIBLE" in _words(section, "status")
    parts = [of for key, of in section.items() if _SEGMENT.fullmatch(key) and isinstance(of, dict)]
    parts.sort(key=lambda part: _number(part, "start_extent"))
    extents = sum(_number(part, "extent_count", least=1) for part in parts)
    volume = LogicalVolume(_name(name), _uuid(section), extents, visible, ())
    kinds = [_kind(part) for part in parts]
    if extents * extent_size > MAX_INTEGER:
        return _refuse(replace(volume, extents=0), "it is larger than any disk")
    if not visible or any(kind in _HOLDS_NO_FILES for kind in kinds):
        volume = replace(volume, visible=False)
    other = next((kind for kind in kinds if kind != "striped"), None)
    if other is not None:
        return _refuse(volume, f"LVM {other} is not read")
    try:
        return replace(volume, segments=tuple(_segments(section, parts, pvs, extent_size)))
    except Unreadable as error:
        return _refuse(volume, error.detail)


def _segments(
    section: Tree, parts: list[Tree], pvs: dict[str, PhysicalVolume], extent_size: int
) -> Iterator[Segment]:
    """Without a gap and in order."""
    if not parts or _number(section, "segment_count") != len(parts):
        raise damaged("its segments are not all there")
    reached = 0
    for part in parts:
        start, count = _number(part, "start_extent"), _number(part, "extent_count", least=1)
        if start != reached:
            raise damaged(f"its segments overlap, or leave a gap, at extent {reached}")
        reached += count
        yield _segment(part, start, count, pvs, extent_size)


def _segment(
    part: Tree, start: int, count: int, pvs: dict[str, PhysicalVolume], extent_size: int
) -> Segment:
    among = _number(part, "stripe_count", least=1)
    places = part.get("stripes")
    if not isinstance(places, list) or len(places) != 2 * among or count % among:
        raise damaged(f"its {count} extents are not those of {among} stripes")
    each = count // among
    size = each * extent_size
    if among > 1:
        size = _number(part, "stripe_size", least=1) * SECTOR
        if size < LEAST_STRIPE or size & (size - 1) or each * extent_size % size:
            raise damaged(f"its stripes of {size} bytes do not divide it")
    stripes = []
    for name, at in zip(places[::2], places[1::2], strict=True):
        pv = pvs.get(name) if isinstance(name, str) else None
        if pv is None or not isinstance(at, int):
            raise Unreadable("unsupported", "LVM volumes on other volumes are not read")
        if at < 0 or at + each > pv.extents:
            raise damaged(f"its extents {at} to {at + each} are past the end of {name}")
        stripes.append(Stripe(pv.uuid, at, each))
    return Segment(start, count, size, tuple(stripes))


def _kind(part: Tree) -> str:
    """Flags may follow: `thin-pool+CROP_METADATA`."""
    kind = part.get("type")
    if not isinstance(kind, str) or not _NAME.fullmatch(kind):
        raise damaged("metadata: a segment without a type")
    return kind.partition("+")[0]


def _without_snapshots(
    volumes: list[LogicalVolume], described: list[tuple[str, Tree]]
) -> list[LogicalVolume]:
    """What looks like a plain volume and holds an origin's old contents, or is to take them.

    A snapshot is described by a volume that stands for nothing but its three names.
    """
    stores: set[Value] = set()
    merging: set[Value] = set()
    pseudo: set[str] = set()
    for name, section in described:
        for part in section.values():
            if isinstance(part, dict) and part.get("type") == "snapshot":
                pseudo.add(name)
                store = part.get("merging_store", part.get("cow_store"))
                stores |= {store} if isinstance(store, str) else set()
                origin = part.get("origin")
                merging |= (
                    {origin} if "merging_store" in part and isinstance(origin, str) else set()
                )
    found: list[LogicalVolume] = []
    for volume in volumes:
        if volume.name in pseudo:
            found.append(replace(volume, visible=False))
        elif volume.name in stores:
            found.append(replace(_refuse(volume, "LVM snapshot is not read"), visible=True))
        elif volume.name in merging:
            found.append(_refuse(volume, "LVM snapshot is not read"))
        else:
            found.append(volume)
    return found


def _without_shared(volumes: list[LogicalVolume]) -> list[LogicalVolume]:
    """No extent is part of two volumes, nor twice of one."""
    used = sorted(
        (stripe.pv, stripe.start, stripe.count, volume.name)
        for volume in volumes
        for segment in volume.segments
        for stripe in segment.stripes
    )
    shared: set[str] = set()
    reach: tuple[str, int, str] | None = None  # the stretch that reaches furthest on its PV so far
    for pv, start, count, name in used:
        if reach and reach[0] == pv and start < reach[1]:
            shared |= {reach[2], name}
        if reach is None or reach[0] != pv or start + count > reach[1]:
            reach = (pv, start + count, name)
    return [
        _refuse(volume, "its extents belong to two volumes") if volume.name in shared else volume
        for volume in volumes
    ]


def _refuse(volume: LogicalVolume, why: str) -> LogicalVolume:
    return replace(volume, segments=(), refused=why)


def _sections(section: Tree, name: str) -> Iterator[tuple[str, Tree]]:
    inner = section.get(name, {})
    if not isinstance(inner, dict):
        raise damaged(f"metadata: {name} is no section")
    for key, value in inner.items():
        if not isinstance(value, dict):
            raise damaged(f"metadata: {key} is no section")
        yield key, value


def _number(section: Tree, key: str, *, least: int = 0) -> int:
    value = section.get(key)
    if not isinstance(value, int) or value < least:
        raise damaged(f"metadata: {key} is {str(value)[:40]}")
    return value


def _words(section: Tree, key: str) -> list[Value]:
    value = section.get(key, [])
    return list(value) if isinstance(value, list) else [value]


def _name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise damaged(f"metadata: {name[:40]!r} is no name of a volume")
    return name


def _uuid(section: Tree) -> str:
    value = section.get("id")
    if not isinstance(value, str) or not _UUID.fullmatch(value):
        raise damaged("metadata: a UUID is missing")
    return value
