"""LVM2 metadata, lawful and hostile: read as lvm2 reads it, refused by name, or damage."""

from __future__ import annotations

import random

import pytest

from diskwright.guest.lvm import MAX_TEXTS, Groups, Member, read_member
from diskwright.guest.lvm_map import open_volume
from diskwright.guest.lvm_metadata import MAX_VOLUMES, LogicalVolume, VolumeGroup, parse_group
from diskwright.guest.lvm_text import MAX_DEPTH, MAX_TEXT, MAX_VALUES, parse_text
from diskwright.guest.reading import Unreadable
from diskwright.guest.source import ByteSource
from support import lvm_maker as make
from support.guest_disks import bounded_memory, source_of

LINEAR = make.segment(0, 4, ("pv0", 0))


def parsed(text: str) -> VolumeGroup:
    return parse_group(text.encode() + b"\0")


def only(*segments: str, **options: str) -> LogicalVolume:
    (found,) = parsed(make.group(make.volume("a", *segments, **options))).volumes
    return found


def refused(text: str) -> str:
    with pytest.raises(Unreadable) as caught:
        parse_group(text.encode())
    return caught.value.detail


# The text


def test_sections_values_and_lists() -> None:
    text = 'a { b = -12 # {\n c = "x \\" \\\\ }" d = ["y", 3,] e {} }\n"q r" = 5 f.g-1 = []'
    assert parse_text(text.encode()) == {
        "a": {"b": -12, "c": 'x " \\ }', "d": ["y", 3], "e": {}},
        "q r": 5,
        "f.g-1": [],
    }


@pytest.mark.parametrize(
    "text",
    [
        "a {",
        "a",
        "a =",
        "a = [1, 2",
        'a = "x',
        "a { } }",
        "a = { }",
        "a = [ [1] ]",
        "a = ]",
        "= 1",
        "a ] b",
        "a = b",
        "a = 1.5",
        "a = 9999999999999999999999999999999",
        f"a = {'9' * 100_000}",
        "a = 1 a = 2",
        "a { } a { }",
        "a ~ b",
        "\x01",
        "n" * 300 + " = 1",
    ],
)
def test_text_that_lvm2_would_not_write_is_damage(text: str) -> None:
    with pytest.raises(Unreadable) as caught:
        parse_text(text.encode())
    assert caught.value.code == "damaged"


@pytest.mark.parametrize(
    "text",
    [
        "a {" * (MAX_DEPTH + 1),
        "a {" * 1_000_000,
        "".join(f"k{i} = 1\n" for i in range(MAX_VALUES + 1)),
        f"a = [{'1,' * (MAX_VALUES + 1)}]",
        " " * (MAX_TEXT + 1),
    ],
    ids=["deep", "deeper", "keys", "members", "long"],
)
def test_text_without_measure_is_refused_in_little_memory(text: str) -> None:
    raw = text.encode()
    with bounded_memory(64 << 20), pytest.raises(Unreadable) as caught:
        parse_text(raw)
    assert caught.value.code == "too-large"


@pytest.mark.parametrize("text", ["#" * MAX_TEXT, " " * MAX_TEXT, "#\n" * (MAX_TEXT // 2)])
def test_text_of_nothing_is_empty_and_takes_little_memory(text: str) -> None:
    raw = text.encode()
    with bounded_memory(64 << 20):
        assert parse_text(raw) == {}


@pytest.mark.parametrize("end", ["", '"'])
def test_one_endless_word_takes_little_memory(end: str) -> None:
    raw = b'"' + b"\\x" * (MAX_TEXT // 2 - 8) + end.encode()
    with bounded_memory(64 << 20), pytest.raises(Unreadable):
        parse_text(raw)


# The group


def test_a_linear_volume() -> None:
    group = parsed(make.group(make.volume("root", LINEAR)))
    assert (group.name, group.uuid, group.seqno, group.extent_size) == (
        "vg0",
        make.GROUP_ID,
        7,
        make.EXTENT,
    )
    (volume,) = group.volumes
    assert (volume.name, volume.extents, volume.visible, volume.refused) == ("root", 4, True, "")
    assert volume.uuid == make.volume_id("root")


@pytest.mark.parametrize(
    "kind",
    ["thin", "raid1", "raid5", "mirror", "cache", "writecache", "snapshot", "error", "zero", "vdo"],
)
def test_another_type_is_refused_by_name(kind: str) -> None:
    assert only(make.other(kind)).refused == f"LVM {kind} is not read"
    assert only(make.other(f"{kind}+FLAG")).refused == f"LVM {kind} is not read"
    assert only(make.segment(0, 1, ("pv0", 3)), make.other(kind).replace("= 0", "= 1")).refused


@pytest.mark.parametrize("kind", ["thin-pool", "cache-pool", "vdo-pool"])
def test_a_pool_is_no_volume_for_files(kind: str) -> None:
    assert only(make.other(kind)).visible is False


def test_parts_of_other_volumes_are_not_shown() -> None:
    assert only(LINEAR, status='"READ", "WRITE"').visible is False
    assert only(LINEAR, status="").visible is False


@pytest.mark.parametrize("status", ['"READ", "VISIBLE"', '"READ"'])
def test_a_snapshots_store_is_no_volume_and_its_origin_is_one(status: str) -> None:
    names = 'origin = "a"\ncow_store = "b"\n'
    pseudo = make.volume("snapshot0", make.other("snapshot", more=names))
    store = make.volume("b", make.segment(0, 2, ("pv0", 8)), status=status)
    volumes = (make.volume("a", LINEAR), store)
    shown = [v for v in parsed(make.group(*volumes, pseudo)).volumes if v.visible]
    assert {v.name: v.refused for v in shown} == {"a": "", "b": "LVM snapshot is not read"}
    merging = pseudo.replace("cow_store", "merging_store")
    shown = [v for v in parsed(make.group(*volumes, merging)).volumes if v.visible]
    assert {v.name: v.refused for v in shown} == dict.fromkeys("ab", "LVM snapshot is not read")


def test_an_exported_group_does_not_come_up() -> None:
    (volume,) = parsed(make.group(make.volume("a", LINEAR), status='"EXPORTED"')).volumes
    assert volume.refused == "its volume group is exported"


@pytest.mark.parametrize(
    ("segments", "why"),
    [
        ([], "not all there"),
        ([make.segment(1, 4, ("pv0", 0))], "gap"),
        ([LINEAR, make.segment(5, 1, ("pv0", 8))], "gap"),
        ([LINEAR, make.segment(3, 1, ("pv0", 8))], "overlap"),
        ([LINEAR, make.segment(0, 4, ("pv0", 8))], "overlap"),
        ([make.segment(0, 17, ("pv0", 0))], "past the end of pv0"),
        ([make.segment(0, 4, ("pv0", 13))], "past the end of pv0"),
        ([make.segment(0, 4, ("pv0", -1))], "past the end of pv0"),
        ([make.segment(0, 1, ("pv0", 1 << 50))], "past the end of pv0"),
        ([make.segment(0, 3, ("pv0", 0), ("pv0", 8), size=32)], "stripes"),
        ([make.segment(0, 4, ("pv0", 0), ("pv0", 8), size=24)], "stripes of 12288 bytes"),
        ([make.segment(0, 4, ("pv0", 0), ("pv0", 8), size=1)], "stripes of 512 bytes"),
        ([make.segment(0, 4, ("pv0", 0), ("pv0", 8), size=1 << 20)], "stripes of"),
        ([make.segment(0, 4, ("pv0", 0), ("pv0", 8))], "stripe_size"),
        ([LINEAR.replace("stripe_count = 1", "stripe_count = 2")], "stripes"),
        ([LINEAR.replace("stripe_count = 1", "stripe_count = 0")], "stripe_count"),
        ([LINEAR.replace("stripes =", "strips =")], "stripes"),
        ([make.segment(0, 4, ("pv9", 0))], "on other volumes"),
        ([make.segment(0, 4, ("a", 0))], "on other volumes"),
        ([make.segment(0, 4, ("pv0", 0), ("pv0", 1), size=32)], "belong to two volumes"),
        ([make.segment(0, 1 << 50, ("pv0", 0))], "larger than any disk"),
    ],
)
def test_a_volume_that_lies_is_refused_alone(segments: list[str], why: str) -> None:
    sound = make.volume("sound", make.segment(0, 1, ("pv0", 12)))
    found = {v.name: v for v in parsed(make.group(make.volume("a", *segments), sound)).volumes}
    assert why in found["a"].refused
    assert (found["a"].segments, found["sound"].refused) == ((), "")


def test_two_volumes_on_the_same_extents_are_both_refused() -> None:
    volumes = (
        make.volume("long", make.segment(0, 10, ("pv0", 0))),
        make.volume("inside", make.segment(0, 1, ("pv0", 2))),
        make.volume("also", make.segment(0, 2, ("pv0", 8))),
        make.volume("beside", make.segment(0, 6, ("pv0", 10))),
    )
    found = {v.name: v.refused for v in parsed(make.group(*volumes)).volumes}
    assert found.pop("beside") == ""
    assert set(found.values()) == {"its extents belong to two volumes"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        'contents = "Text Format Volume Group"\nversion = 1\n',
        make.group().replace("version = 1", "version = 2"),
        make.group().replace("Text Format", "Other"),
        make.group() + "second { }",
        make.group(extent_size=0),
        make.group(extent_size=-8),
        make.group().replace("extent_size", "size"),
        make.group(uuid="short"),
        make.group(pvs=(make.PV_IDS[0], make.PV_IDS[0])),
        make.group(name='"../x"'),
        make.group(name='".."'),
        make.group(name='"a/b"'),
        make.group(make.volume("ab", LINEAR).replace("ab {", '"a b" {')),
        make.group(make.volume("a", LINEAR).replace('type = "striped"', "")),
        make.group(make.volume("a", LINEAR).replace("extent_count = 4", "extent_count = 0")),
        make.group(make.volume("a", LINEAR).replace("extent_count = 4", "")),
        make.group("a = 1\n"),
        make.group().replace("logical_volumes {", "logical_volumes = 1\nother {"),
    ],
)
def test_a_group_that_can_not_be_believed_is_refused_whole(text: str) -> None:
    assert refused(text)


def test_more_volumes_than_anybody_has_are_refused() -> None:
    volumes = [make.volume(f"v{i}", make.other("zero")) for i in range(MAX_VOLUMES + 1)]
    assert str(MAX_VOLUMES) in refused(make.group(*volumes))
    assert len(parsed(make.group(*volumes[1:])).volumes) == MAX_VOLUMES


# The bytes


def opened(text: str, *pvs: bytearray) -> ByteSource:
    """The first volume of the group."""
    group = parsed(text)
    sources = {uuid: source_of(bytes(pv)) for uuid, pv in zip(make.PV_IDS, pvs, strict=False)}
    return open_volume(group.volumes[0], group, sources)


def test_every_byte_of_a_volume_is_where_its_segments_say() -> None:
    """Linear on the second, then striped over both, as drawn: `b0 b1 | a4 b8 a4 b8 …`."""
    noise = random.Random(5)
    one, two = make.pv(None), make.pv(None, uuid=make.PV_IDS[1])
    extents = {(pv, i): noise.randbytes(make.EXTENT) for pv in (0, 1) for i in range(16)}
    for (pv, i), data in extents.items():
        make.fill((one, two)[pv], i, data)
    stripe = 8192
    segments = (
        make.segment(0, 2, ("pv1", 0)),
        make.segment(2, 4, ("pv0", 4), ("pv1", 8), size=stripe // 512),
    )
    text = make.group(make.volume("a", *segments), pvs=make.PV_IDS)
    source = opened(text, one, two)
    first = extents[0, 4] + extents[0, 5]
    second = extents[1, 8] + extents[1, 9]
    turns = range(0, len(first), stripe)
    striped = b"".join(first[at : at + stripe] + second[at : at + stripe] for at in turns)
    wanted = extents[1, 0] + extents[1, 1] + striped
    assert source.size == len(wanted)
    assert source.read(0, source.size) == wanted
    for _ in range(300):
        start = noise.randrange(source.size)
        count = noise.choice((0, 1, 511, 8192, 8193, 100_000))
        count = min(count, source.size - start)
        assert source.read(start, count) == wanted[start : start + count]
    assert source.window(100, 9000).read(8900, 100) == wanted[9000:9100]


@pytest.mark.parametrize(
    ("offset", "length"), [(-1, 1), (0, -1), (4 * make.EXTENT, 1), (0, 1 << 40)]
)
def test_what_is_not_in_a_volume_can_not_be_read(offset: int, length: int) -> None:
    source = opened(make.group(make.volume("a", LINEAR)), make.pv(None))
    with pytest.raises(Unreadable):
        source.read(offset, length)


def test_a_volume_whose_partition_was_cut_is_not_opened() -> None:
    text = make.group(make.volume("a", make.segment(0, 4, ("pv0", 12))))
    assert opened(text, make.pv(None)).size == 4 * make.EXTENT
    with pytest.raises(Unreadable, match="past the end of physical volume"):
        opened(text, make.pv(None)[:-1])


# The physical volume


TEXT = make.group(make.volume("a", LINEAR))


def member(disk: bytearray) -> tuple[Member, VolumeGroup | None]:
    groups = Groups()
    found = read_member(source_of(bytes(disk)), groups)
    return found, groups.of(found)


@pytest.mark.parametrize("sector", range(4))
def test_a_label_is_in_one_of_four_sectors(sector: int) -> None:
    found, group = member(make.pv(TEXT, label_sector=sector))
    assert (found.uuid, found.groups, found.error) == (make.PV_IDS[0], {make.GROUP_ID}, "")
    assert group == parsed(TEXT)


@pytest.mark.parametrize("at", [512, 1024, 9000, 16383])
def test_the_metadata_may_go_round_its_ring(at: int) -> None:
    assert member(make.pv(TEXT, area=16384, at=at))[1] == parsed(TEXT)


@pytest.mark.parametrize("keeps", [True, False])
def test_without_metadata_or_without_an_area_there_is_no_group(keeps: bool) -> None:
    found, group = member(make.pv(None, keeps_metadata=keeps))
    assert (found.in_none, found.groups, found.error) == (keeps, frozenset(), "")
    assert group is None


@pytest.mark.parametrize(
    ("place", "said"),
    [
        (make.AREA + 100, "header of the metadata area has a wrong checksum"),
        (make.AREA + 4, "no header in the metadata area"),
        (make.AREA + 512 + 10, "the metadata has a wrong checksum"),
    ],
)
def test_metadata_with_a_wrong_checksum_does_not_count(place: int, said: str) -> None:
    disk = make.pv(TEXT)
    disk[place] ^= 1
    found, group = member(disk)
    assert (found.in_none, found.groups, group) == (False, frozenset(), None)
    assert said in found.error


@pytest.mark.parametrize("place", [512, 512 + 8, 512 + 30, 512 + 40, 512 + 500])
def test_a_label_with_a_wrong_checksum_is_damage(place: int) -> None:
    disk = make.pv(TEXT)
    disk[place] ^= 1
    with pytest.raises(Unreadable):
        member(disk)


def test_the_number_of_groups_that_are_read_is_bounded() -> None:
    groups = Groups()
    for i in range(MAX_TEXTS):
        groups.add(make.group(seqno=i).encode())
    with pytest.raises(Unreadable):
        groups.add(make.group(seqno=MAX_TEXTS).encode())
    assert groups.add(make.group(seqno=3).encode()).seqno == 3
    assert groups.by_uuid[make.GROUP_ID].seqno == MAX_TEXTS - 1
