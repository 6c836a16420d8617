"""Logical volumes of a disk: found, named as the device mapper names them, probed or refused."""

from __future__ import annotations

import struct

import pytest

from diskwright.blockio.memory import MemoryReader
from diskwright.guest.devices import DiskNames
from diskwright.guest.inspect import inspect_guest
from diskwright.model.codec import decode, encode
from diskwright.model.guest import FileSystem, GuestFacts, Section
from diskwright.model.volumes import Volume
from support import lvm_maker as make
from support.guest_disks import mbr

MIB = 1 << 20
LUKS = b"LUKS\xba\xbe" + struct.pack(">H", 2)
LINEAR = make.segment(0, 2, ("pv0", 0))
OTHER_GROUP = "OTHERG-aaaa-aaaa-aaaa-aaaa-aaaa-aaaaaa"


def swap(uuid: int) -> bytes:
    """A swap area of 128 KiB."""
    page = bytearray(4096)
    page[1024:1068] = struct.pack("<III16s16s", 1, 31, 0, bytes([uuid] * 16), b"")
    page[4086:] = b"SWAPSPACE2"
    return bytes(page)


def inspect(*pvs: bytes | bytearray) -> GuestFacts:
    """Of a disk with so many partitions; a single one without a table where `pvs` is one."""
    disk = bytearray()
    entries = []
    for pv in pvs:
        start = max(MIB, (len(disk) + MIB - 1) // MIB * MIB)
        entries.append((0, 0x8E, start // 512, len(pv) // 512))
        disk = disk.ljust(start, b"\0") + pv
    disk[:512] = mbr(*entries)
    facts = inspect_guest(MemoryReader(len(disk), {0: bytes(disk)}))
    assert decode(GuestFacts, encode(facts)) == facts
    return facts


def members(facts: GuestFacts) -> list[tuple[bool, str]]:
    return [(fs.read, fs.note) for fs in facts.filesystems or () if fs.type == "LVM2_member"]


def held(facts: GuestFacts) -> dict[str | None, FileSystem]:
    return {fs.volume: fs for fs in facts.filesystems or () if fs.type != "LVM2_member"}


def names(facts: GuestFacts) -> DiskNames:
    return DiskNames(facts.filesystems or (), facts.table, facts.volumes)


def test_a_volume_is_probed_as_a_partition_is() -> None:
    pv = make.pv(
        make.group(make.volume("swap", LINEAR), make.volume("raw", make.segment(0, 1, ("pv0", 8))))
    )
    make.fill(pv, 0, swap(7))
    facts = inspect(pv)
    assert members(facts) == [(True, "physical volume of vg0")]
    uuid = f"{make.GROUP_ID}/{make.volume_id('swap')}"
    assert facts.volumes[0] == Volume("/dev/mapper/vg0-swap", uuid, 2 * make.EXTENT, (1,), True)
    assert [v.name for v in facts.volumes] == ["/dev/mapper/vg0-swap", "/dev/mapper/vg0-raw"]
    found = held(facts)
    assert set(found) == {"/dev/mapper/vg0-swap"}
    area = found["/dev/mapper/vg0-swap"]
    assert (area.type, area.partition, area.place) == ("swap", None, "/dev/mapper/vg0-swap")
    assert area.uuid == "07070707-0707-0707-0707-070707070707"


def test_a_physical_volume_can_be_a_whole_disk() -> None:
    pv = make.pv(make.group(make.volume("swap", LINEAR)))
    make.fill(pv, 0, swap(7))
    facts = inspect_guest(MemoryReader(len(pv), {0: bytes(pv)}))
    assert facts.volumes[0].partitions == ()
    assert held(facts)["/dev/mapper/vg0-swap"].type == "swap"
    assert names(facts).has("/dev/sda") is True


def test_dashes_are_doubled_and_every_name_leads_there() -> None:
    pv = make.pv(make.group(make.volume("my-lv", LINEAR), name="vg-a"))
    make.fill(pv, 0, swap(7))
    known = names(inspect(pv))
    device = "/dev/mapper/vg--a-my--lv"
    assert known.volumes[0].name == device
    index = known.find(device)
    assert index is not None
    for spec in (
        device,
        "/dev/vg-a/my-lv",
        "/dev/disk/by-id/dm-name-vg--a-my--lv",
        "UUID=07070707-0707-0707-0707-070707070707",
    ):
        assert (known.find(spec), known.has(spec)) == (index, True)
    for spec in ("/dev/mapper/vg-a-my-lv", "/dev/vg/a-my-lv", "/dev/mapper/other", "UUID=1-2"):
        assert (known.find(spec), known.has(spec)) == (None, False)


def test_what_a_volume_of_nothing_known_hides_can_not_be_told() -> None:
    known = names(inspect(make.pv(make.group(make.volume("raw", LINEAR)))))
    assert known.has("/dev/vg0/raw") is True
    assert known.find("/dev/vg0/raw") is None
    assert known.has("UUID=gone") is None
    assert known.has("/dev/mapper/luks-of-raw") is None


def test_an_encrypted_volume_hides_more() -> None:
    pv = make.pv(make.group(make.volume("c", LINEAR)))
    make.fill(pv, 0, LUKS)
    facts = inspect(pv)
    assert held(facts)["/dev/mapper/vg0-c"].type == "crypto_LUKS"
    assert "/dev/mapper/vg0-c: " in facts.why_unread(Section.ROOT)
    assert names(facts).has("/dev/mapper/opened") is None


@pytest.mark.parametrize("kind", ["thin", "raid1", "mirror", "cache"])
def test_what_is_not_read_is_there_by_name(kind: str) -> None:
    facts = inspect(make.pv(make.group(make.volume("t", make.other(kind, 3)))))
    note = f"LVM {kind} is not read"
    (volume,) = facts.volumes
    assert (volume.size, volume.complete, volume.note) == (3 * make.EXTENT, True, note)
    assert held(facts)["/dev/mapper/vg0-t"] == FileSystem(
        "unknown", None, False, note=note, volume="/dev/mapper/vg0-t"
    )
    assert facts.why_unread(Section.ROOT) == (
        f"the root file system may be on /dev/mapper/vg0-t: {note}"
    )
    assert names(facts).has("/dev/vg0/t") is True
    assert names(facts).has("UUID=inside") is None


def test_a_volume_over_two_partitions() -> None:
    text = make.group(
        make.volume("two", make.segment(0, 1, ("pv1", 0)), make.segment(1, 2, ("pv0", 3))),
        pvs=make.PV_IDS,
    )
    one, two = make.pv(text), make.pv(None, uuid=make.PV_IDS[1], keeps_metadata=False)
    make.fill(two, 0, swap(9))
    facts = inspect(one, two)
    assert members(facts) == [(True, "physical volume of vg0")] * 2
    assert facts.volumes[0].partitions == (1, 2)
    assert held(facts)["/dev/mapper/vg0-two"].uuid == "09090909-0909-0909-0909-090909090909"


def test_a_missing_physical_volume_is_named_and_what_needs_none_of_it_is_read() -> None:
    whole = make.volume("whole", LINEAR)
    two = make.volume("two", make.segment(0, 2, ("pv0", 4)), make.segment(2, 2, ("pv1", 4)))
    thin = make.volume("thin", make.other("thin"))
    pv = make.pv(make.group(whole, two, thin, pvs=make.PV_IDS))
    make.fill(pv, 0, swap(7))
    facts = inspect(pv)
    assert [v.complete for v in facts.volumes] == [True, False, None]
    assert held(facts)["/dev/mapper/vg0-whole"].type == "swap"
    lost = f"LVM: physical volume {make.PV_IDS[1]} is not on this disk"
    assert held(facts)["/dev/mapper/vg0-two"].note == lost
    assert [names(facts).has(f"/dev/vg0/{v}") for v in ("whole", "two", "thin")] == [
        True,
        False,
        None,
    ]


def test_the_newest_description_of_a_group_counts() -> None:
    old = make.group(make.volume("old", LINEAR), pvs=make.PV_IDS, seqno=3)
    new = make.group(make.volume("new", LINEAR), pvs=make.PV_IDS, seqno=4)
    for pvs in ((old, new), (new, old)):
        facts = inspect(*(make.pv(t, uuid=u) for t, u in zip(pvs, make.PV_IDS, strict=True)))
        assert [v.name for v in facts.volumes] == ["/dev/mapper/vg0-new"]


def test_a_physical_volume_knows_best_which_group_it_is_in() -> None:
    stale = make.group(
        make.volume("stale", make.segment(0, 1, ("pv1", 0))), pvs=make.PV_IDS, seqno=9
    )
    own = make.group(make.volume("own", LINEAR), name="vg1", uuid=OTHER_GROUP, pvs=make.PV_IDS[1:])
    facts = inspect(make.pv(stale), make.pv(own, uuid=make.PV_IDS[1]))
    assert [(v.name, v.complete) for v in facts.volumes] == [
        ("/dev/mapper/vg0-stale", False),
        ("/dev/mapper/vg1-own", True),
    ]
    assert members(facts)[1] == (True, "physical volume of vg1")


def test_two_groups_of_one_name_are_not_told_apart() -> None:
    one = make.group(make.volume("a", LINEAR))
    two = make.group(make.volume("b", LINEAR), uuid=OTHER_GROUP, pvs=make.PV_IDS[1:])
    facts = inspect(make.pv(one), make.pv(two, uuid=make.PV_IDS[1]))
    assert [v.note for v in facts.volumes] == [
        "LVM: two volume groups of this disk have the same name"
    ] * 2


def test_two_physical_volumes_of_one_uuid_are_not_told_apart() -> None:
    pv = make.pv(make.group(make.volume("a", LINEAR)))
    facts = inspect(pv, pv)
    assert members(facts) == [(False, "LVM: another physical volume has the same UUID")] * 2
    assert [v.complete for v in facts.volumes] == [None]


def test_a_partition_that_was_cut_takes_the_volumes_at_its_end() -> None:
    volumes = make.volume("a", LINEAR), make.volume("end", make.segment(0, 1, ("pv0", 15)))
    facts = inspect(make.pv(make.group(*volumes))[: -make.EXTENT])
    assert [v.complete for v in facts.volumes] == [True, False]
    assert "past the end of physical volume" in facts.volumes[1].note


@pytest.mark.parametrize(
    ("pv", "read", "said"),
    [
        (make.pv(None), True, "physical volume of no group"),
        (make.pv(None, keeps_metadata=False), False, "LVM: the metadata of its volume group"),
        (make.pv("vg0 {"), False, "LVM: metadata: a section has no end"),
    ],
)
def test_a_physical_volume_alone(pv: bytearray, read: bool, said: str) -> None:
    facts = inspect(pv)
    ((told, note),) = members(facts)
    assert told is read
    assert note.startswith(said)
    assert facts.volumes == ()
    assert names(facts).has("/dev/vg0/a") is (False if read else None)


def test_damaged_metadata_leaves_the_volumes_open() -> None:
    pv = make.pv(make.group(make.volume("a", LINEAR)))
    pv[make.AREA + 600] ^= 1
    facts = inspect(pv)
    assert members(facts) == [(False, "LVM: the metadata has a wrong checksum")]
    assert names(facts).has("/dev/vg0/a") is None
    assert "LVM: the metadata has a wrong checksum" in facts.why_unread(Section.ROOT)


def test_of_two_copies_a_sound_one_is_enough() -> None:
    text = make.group(make.volume("a", LINEAR), pvs=make.PV_IDS)
    broken = make.pv(text)
    broken[make.AREA + 600] ^= 1
    facts = inspect(broken, make.pv(text, uuid=make.PV_IDS[1]))
    assert members(facts) == [(True, "physical volume of vg0")] * 2
    assert facts.volumes[0].complete is True


def test_a_volume_group_inside_a_volume_is_named_and_not_followed() -> None:
    inner = make.pv(make.group(make.volume("a", LINEAR)), extents=2)
    pv = make.pv(make.group(make.volume("outer", make.segment(0, 8, ("pv0", 0)))))
    make.fill(pv, 0, bytes(inner))
    facts = inspect(pv)
    assert [v.name for v in facts.volumes] == ["/dev/mapper/vg0-outer"]
    assert [(fs.read, fs.volume) for fs in facts.filesystems or ()] == [
        (True, None),
        (False, "/dev/mapper/vg0-outer"),
    ]
    assert names(facts).has("/dev/mapper/vg9-x") is None
