"""The volumes of a disk that lie on its partitions: LVM2's, and what each of them holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from diskwright._values import Struct, replace
from diskwright.guest.lvm import Groups, Member, is_part, read_member
from diskwright.guest.lvm_map import open_volume
from diskwright.guest.lvm_metadata import MAX_VOLUMES, LogicalVolume, VolumeGroup
from diskwright.guest.probe import Probe, probe
from diskwright.guest.reading import Unreadable
from diskwright.guest.source import ByteSource, Source
from diskwright.model.guest import FileSystem
from diskwright.model.partitions import PartitionRole, PartitionTable
from diskwright.model.volumes import Volume, mapper_name

MAX_PROBES = 128  # partitions

LVM = "LVM2_member"


class Place(Struct, frozen=True):
    """A partition, or the whole disk, and what a probe saw there."""

    probe: Probe
    window: ByteSource


class VolumeReading(Struct, frozen=True):
    """`probes`: those of the places in their order, then those of the volumes."""

    probes: list[Probe]
    volumes: tuple[Volume, ...]


def read_volumes(places: Sequence[Place]) -> VolumeReading:
    """Raises nothing: what can't be read is a file system that says so in its note."""
    reader = _Reader(places)
    for group in reader.groups.by_uuid.values():
        reader.read_group(group)
    held = [reader.described(index) for index in range(len(places))]
    return VolumeReading(held + reader.probes, tuple(reader.volumes))


class _Reader:
    def __init__(self, places: Sequence[Place]) -> None:
        self._places = places
        self.groups = Groups()
        self.volumes: list[Volume] = []
        self.probes: list[Probe] = []
        self._members: dict[int, Member] = {}
        self._unreadable: dict[int, str] = {}
        self._too_many: set[str] = set()
        for index, place in enumerate(places):
            if place.probe.facts.type == LVM:
                self._add(index, place.window)
        count = Counter(member.uuid for member in self._members.values())
        for index, member in list(self._members.items()):
            if count[member.uuid] > 1:
                del self._members[index]
                self._unreadable[index] = "another physical volume has the same UUID"
        self._names = Counter(group.name for group in self.groups.by_uuid.values())

    def _add(self, index: int, window: ByteSource) -> None:
        try:
            self._members[index] = read_member(window, self.groups)
        except Unreadable as error:
            self._unreadable[index] = error.detail

    def read_group(self, group: VolumeGroup) -> None:
        shown = [volume for volume in group.volumes if volume.visible]
        if len(self.volumes) + len(shown) > MAX_VOLUMES:
            self._too_many.add(group.uuid)
            return
        held = {m.uuid: i for i, m in self._members.items() if is_part(m, group)}
        for volume in shown:
            self._read(group, volume, held)

    def _read(self, group: VolumeGroup, volume: LogicalVolume, held: Mapping[str, int]) -> None:
        """`held`: where the group's physical volumes are, by UUID."""
        used = _physical_volumes(volume) or set(group.pvs)
        missing = sorted(used - set(held))
        note = volume.refused
        if missing and not note:
            note = f"LVM: physical volume {missing[0]} is not on this disk"
        elif self._names[group.name] > 1:
            note = "LVM: two volume groups of this disk have the same name"
        name = mapper_name(group.name, volume.name)
        complete = (None if volume.refused or self._unreadable else False) if missing else True
        found: Probe | None = None
        if not note:
            found, note = self._look(group, volume, held)
            complete = not note
        if note:
            found = Probe(FileSystem("unknown", None, read=False, note=note), None)
        if found is not None:
            self.probes.append(replace(found, facts=replace(found.facts, volume=name)))
        partitions = (self._places[held[pv]].probe.facts.partition for pv in used if pv in held)
        self.volumes.append(
            Volume(
                name=name,
                uuid=f"{group.uuid}/{volume.uuid}",
                size=volume.extents * group.extent_size,
                partitions=tuple(sorted(p for p in partitions if p is not None)),
                complete=complete,
                note=note,
            )
        )

    def _look(
        self, group: VolumeGroup, volume: LogicalVolume, held: Mapping[str, int]
    ) -> tuple[Probe | None, str]:
        sources = {uuid: self._members[index].source for uuid, index in held.items()}
        try:
            return probe(open_volume(volume, group, sources), None), ""
        except Unreadable as error:
            return None, error.detail

    def described(self, index: int) -> Probe:
        """What the place holds; of a physical volume also what it is part of."""
        found = self._places[index].probe
        if found.facts.type != LVM:
            return found
        read, note = self._standing(index)
        return replace(found, facts=replace(found.facts, read=read, note=note))

    def _standing(self, index: int) -> tuple[bool, str]:
        member = self._members.get(index)
        if member is None:
            return False, f"LVM: {self._unreadable[index]}"
        group = self.groups.of(member)
        if group is not None and group.uuid in self._too_many:
            return False, f"LVM: there are more than {MAX_VOLUMES} volumes"
        if group is not None:
            return True, f"physical volume of {group.name}"
        if member.in_none:
            return True, "physical volume of no group"
        why = member.error or "the metadata of its volume group is not on this disk"
        return False, f"LVM: {why}"


def _physical_volumes(volume: LogicalVolume) -> set[str]:
    return {stripe.pv for segment in volume.segments for stripe in segment.stripes}


def places_of(source: Source, table: PartitionTable) -> list[Place]:
    """Every partition that can hold a file system, or the whole disk where there is no table."""
    partitions = [p for p in table.partitions if p.role is not PartitionRole.EXTENDED]
    windows: list[tuple[ByteSource, int | None]] = []
    for part in partitions[:MAX_PROBES]:
        try:
            windows.append((source.window(part.start, part.length), part.number))
        except Unreadable:
            continue  # past the disk's end: the table's problems tell
    if not partitions:
        windows.append((source, None))
    probed = ((probe(window, number), window) for window, number in windows)
    return [Place(found, window) for found, window in probed if found is not None]
