"""A VHD file is read whole or refused by name; where it has two sizes, it is said which is read."""

from __future__ import annotations

import struct

import pytest

from diskwright.formats import limits, vhd
from diskwright.model.image import Geometry, ImageFacts, VhdSize
from support.hostile.vhd import vhd_dynamic, vhd_footer
from support.image_bytes import ending, facts_of, patched, refusal, vhd_summed

K = 1024
MIB = 1 << 20
SIZE = 1044480  # 30 x 4 x 17 sectors
UNUSED = 0xFFFFFFFF
HEADER = 512
TABLE = 1536
BLOCK = 65536
STRIDE = 1 + BLOCK // 512  # sectors of a block with its bitmap


def footer(
    size: int = SIZE,
    *,
    kind: int = 2,
    chs: tuple[int, int, int] | None = None,
    creator: bytes = b"dwrt",
    offset: int = (1 << 64) - 1,
) -> bytes:
    made = vhd_footer(size, kind, offset, chs=chs)
    return vhd_summed(patched(made, 28, "4s", creator), 0, 512, 64)


def fixed(size: int = SIZE, *, data: int | None = None, **how: object) -> bytes:
    return bytes(size if data is None else data) + footer(size, **how)


def dynamic(*bat: int, blocks: int = 1, **how: object) -> bytes:
    """With room for `blocks` blocks, the first at sector 4."""
    made = vhd_dynamic(bat=list(bat) or [4], **how)
    return made[:-512] + bytes((blocks - 1) * STRIDE * 512) + made[-512:]


def both_footers(content: bytes, offset: int, layout: str, *values: object) -> bytes:
    for at in (0, len(content) - 512):
        content = patched(content, at + offset, layout, *values)
        content = vhd_summed(content, at, 512, 64)
    return content


def header(content: bytes, offset: int, layout: str, *values: object) -> bytes:
    return vhd_summed(patched(content, HEADER + offset, layout, *values), HEADER, K, 36)


def read(content: bytes) -> ImageFacts:
    return facts_of(vhd.read_facts, content)


def test_facts_of_a_fixed_disk_are_those_of_its_footer() -> None:
    facts = read(fixed())
    assert (facts.format, facts.subformat, facts.version) == ("vhd", "fixed", 1)
    assert (facts.virtual_size, facts.exact_size) == (SIZE, SIZE)
    assert (facts.file_size, facts.cluster_size) == (SIZE + 512, None)
    assert (facts.creator, facts.geometry) == ("dwrt", Geometry(30, 4, 17))
    assert (facts.vhd_size, facts.problems) == (VhdSize.CURRENT_SIZE, ())


def test_facts_of_a_dynamic_disk_are_those_of_both_headers() -> None:
    facts = read(dynamic())
    assert (facts.subformat, facts.cluster_size) == ("dynamic", BLOCK)
    assert (facts.virtual_size, facts.vhd_size) == (SIZE, VhdSize.CURRENT_SIZE)
    assert facts.problems == ()


def test_a_creator_is_told_without_the_spaces_and_zeros_around_it() -> None:
    assert read(fixed(creator=b"win ")).creator == "win"
    assert read(fixed(creator=b"tap\0")).creator == "tap"
    assert read(fixed(creator=b"\0\0\0\0")).creator is None


# --- the size ---------------------------------------------------------------------------------

SMALL = (30, 4, 17)
LARGE = (60, 4, 17)
MAXIMAL = (65535, 16, 255)
BY_SIZE, BY_GEOMETRY = VhdSize.CURRENT_SIZE, VhdSize.GEOMETRY


@pytest.mark.parametrize("creator", [b"win ", b"qem2", b"d2v ", b"tap\0", b"CTXS"])
@pytest.mark.parametrize("chs", [SMALL, LARGE, (0, 0, 0)])
def test_a_creator_that_means_the_current_size_is_believed(
    creator: bytes, chs: tuple[int, int, int]
) -> None:
    facts = read(fixed(MIB, chs=chs, creator=creator))
    assert (facts.virtual_size, facts.vhd_size, facts.problems) == (MIB, BY_SIZE, ())


def test_a_geometry_at_its_maximum_says_nothing() -> None:
    facts = read(fixed(MIB, chs=MAXIMAL))
    assert (facts.virtual_size, facts.vhd_size, facts.problems) == (MIB, BY_SIZE, ())


@pytest.mark.parametrize("creator", [b"vpc ", b"vbox", b"qemu", b"dwrt", b"win\0", b"\0\0\0\0"])
@pytest.mark.parametrize(
    ("chs", "data", "size", "which"),
    [
        (SMALL, MIB, MIB, BY_SIZE),
        (SMALL, 2 * MIB, MIB, BY_SIZE),
        ((0, 0, 0), MIB, MIB, BY_SIZE),
        (LARGE, MIB, MIB, BY_SIZE),
        (LARGE, 2 * SIZE, 2 * SIZE, BY_GEOMETRY),
        (SMALL, SIZE, SIZE, BY_GEOMETRY),
    ],
)
def test_of_two_sizes_the_larger_that_the_file_holds_is_read_and_said(
    creator: bytes, chs: tuple[int, int, int], data: int, size: int, which: VhdSize
) -> None:
    facts = read(fixed(MIB, chs=chs, data=data, creator=creator))
    assert (facts.virtual_size, facts.vhd_size) == (size, which)
    (problem,) = facts.problems
    assert problem.code == "size-ambiguous"
    words = ascii(creator.decode()), str(MIB), str(Geometry(*chs).size)
    assert [word for word in words if word not in problem.detail] == []


def test_a_dynamic_disk_holds_what_its_table_has_entries_for() -> None:
    large = {"chs": LARGE, "size": MIB, "kind": 3, "offset": 512}
    for entries, size, which in ((16, MIB, BY_SIZE), (32, 2 * SIZE, BY_GEOMETRY)):
        made = dynamic(size=MIB, entries=entries, footer=footer(**large))
        facts = read(made)
        assert (facts.virtual_size, facts.vhd_size) == (size, which)
        assert [problem.code for problem in facts.problems] == ["size-ambiguous"]


def test_data_after_the_disk_is_no_silent_cut() -> None:
    for creator in (b"win ", b"dwrt"):
        (problem,) = read(fixed(data=2 * SIZE, creator=creator)).problems
        assert problem.code == "size-ambiguous"
        assert str(2 * SIZE) in problem.detail


def test_a_fixed_disk_without_all_its_data_is_broken() -> None:
    past_end = ("broken", "offset-past-end")
    assert ending(vhd.read_facts, fixed(data=SIZE - 512)) == past_end
    assert ending(vhd.read_facts, fixed(MIB, data=SIZE, creator=b"win ")) == past_end
    assert ending(vhd.read_facts, fixed(2 * MIB, chs=LARGE, data=SIZE)) == past_end


@pytest.mark.parametrize(
    ("size", "end"),
    [
        (0, ("broken", "too-short")),
        (511, ("broken", "too-short")),
        (SIZE - 1, ("unsupported", "size-unaligned")),
        ((0xFF000000 + 1) * 512, ("broken", "size-too-large")),
        ((1 << 64) - 512, ("broken", "size-too-large")),
    ],
)
def test_a_size_that_no_disk_has_is_refused(size: int, end: tuple[str, str]) -> None:
    assert ending(vhd.read_facts, bytes(SIZE) + footer(size, chs=SMALL)) == end


# --- footers -----------------------------------------------------------------------------------


def test_a_footer_of_511_bytes_is_read_at_the_end_of_a_fixed_disk_only() -> None:
    facts = read(fixed()[:-1])
    assert (facts.virtual_size, facts.problems) == (SIZE, ())
    assert ending(vhd.read_facts, dynamic()[:-1]) == ("unsupported", "version-unknown")


def test_a_fixed_disk_of_no_whole_sectors_is_unsupported() -> None:
    made = bytes(SIZE + 100) + footer()
    assert ending(vhd.read_facts, made) == ("unsupported", "size-unaligned")


def test_a_footer_in_one_place_only_is_broken() -> None:
    inconsistent = ("broken", "header-inconsistent")
    assert ending(vhd.read_facts, dynamic()[:-512]) == ("broken", "truncated")
    assert ending(vhd.read_facts, bytes(512) + dynamic()[512:]) == inconsistent
    begins_with_one = footer() + fixed()[512:]
    assert ending(vhd.read_facts, begins_with_one) == inconsistent
    assert ending(vhd.read_facts, bytes(2000)) == ("broken", "truncated")
    assert ending(vhd.read_facts, b"conectix") == ("broken", "truncated")


@pytest.mark.parametrize("place", [0, -512, HEADER])
def test_each_wrong_checksum_is_found(place: int) -> None:
    made = bytearray(dynamic())
    made[place + 200] ^= 1
    assert ending(vhd.read_facts, bytes(made)) == ("broken", "checksum")


def test_the_checksum_that_old_qemu_wrote_is_told_from_damage() -> None:
    without_uuid = vhd_summed(patched(footer(), 68, "16s", b""), 0, 512, 64)
    made = bytes(SIZE) + patched(without_uuid, 68, "16s", b"\x11" * 16)
    assert "UUID" in refusal(vhd.read_facts, made).detail
    assert "UUID" not in refusal(vhd.read_facts, patched(made, SIZE + 64, ">I", 1)).detail


@pytest.mark.parametrize(
    ("offset", "layout", "value"),
    [
        (16, ">Q", 1024),
        (28, "4s", b"abcd"),
        (48, ">Q", SIZE + 512),
        (56, ">H", 31),
        (58, "B", 5),
        (59, "B", 18),
    ],
)
def test_a_copy_of_the_footer_that_says_something_else_is_broken(
    offset: int, layout: str, value: object
) -> None:
    changed = vhd_summed(patched(dynamic(), offset, layout, value), 0, 512, 64)
    assert ending(vhd.read_facts, changed) == ("broken", "header-inconsistent")


def test_a_fixed_footer_behind_a_dynamic_copy_is_broken() -> None:
    made = dynamic()[:-512] + footer()
    assert ending(vhd.read_facts, made) == ("broken", "header-inconsistent")


def test_other_versions_and_types_are_unsupported() -> None:
    unknown = ("unsupported", "version-unknown")
    assert ending(vhd.read_facts, both_footers(dynamic(), 12, ">I", 0x20000)) == unknown
    assert ending(vhd.read_facts, header(dynamic(), 24, ">I", 0x20000)) == unknown
    for kind in (0, 1, 5, 6, 1 << 31):
        made = both_footers(dynamic(), 60, ">I", kind)
        assert ending(vhd.read_facts, made) == ("unsupported", "subformat-unknown")


# --- parents -----------------------------------------------------------------------------------

LOCATOR = (b"W2ku", "C:\\above.vhd".encode("utf-16-le"), 2048)


@pytest.mark.parametrize(
    ("how", "name"),
    [
        ({"parent": "below.vhd", "locators": [LOCATOR]}, "C:\\above.vhd"),
        ({"parent": "below.vhd", "locators": [(b"W2ru", b".\0\\\0x\0", 2048)]}, ".\\x"),
        (
            {"parent": "b.vhd", "locators": [(b"MacX", b"file:///b\xff.vhd", 2048)]},
            "file:///b�.vhd",
        ),
        ({"parent": "below.vhd"}, "below.vhd"),
        ({"parent": "below.vhd", "locators": [(b"Wi2k", b"x", 2048)]}, "below.vhd"),
        ({"parent": "below.vhd", "locators": [(b"W2ku", b"", 2048)]}, "below.vhd"),
        ({"parent": "below.vhd", "locators": [(b"W2ku", b"a\0" * 2049, 2048)]}, "below.vhd"),
        ({}, ""),
    ],
)
def test_a_differencing_disk_is_unsafe_and_its_parent_named(
    how: dict[str, object], name: str
) -> None:
    found = refusal(vhd.read_facts, dynamic(kind=4, **how))
    assert (found.kind, found.code) == ("unsafe", "reference-outside")
    assert found.detail == f"it names a parent: {name!a}"


def test_a_parent_is_seen_before_anything_else_is_judged() -> None:
    unsafe = ("unsafe", "reference-outside")
    made = dynamic(kind=4)
    for damaged in (made[:-512], bytes(512) + made[512:], patched(made, 64, ">I", 0), made[:512]):
        assert ending(vhd.read_facts, damaged) == unsafe
    locator = HEADER + 576
    for offset, layout, value in ((16, ">Q", (1 << 64) - 1), (8, ">I", UNUSED)):
        named = dynamic(kind=4, parent="below.vhd", locators=[LOCATOR])
        found = refusal(vhd.read_facts, patched(named, locator + offset, layout, value))
        assert found.detail == "it names a parent: 'below.vhd'"


def test_a_parent_is_not_followed_where_it_might_be_either() -> None:
    found = refusal(vhd.read_facts, dynamic(kind=4), follow=True)
    assert (found.kind, found.code) == ("unsupported", "differencing")


# --- the dynamic header and the table ----------------------------------------------------------


@pytest.mark.parametrize(
    ("offset", "layout", "value", "code"),
    [
        (0, "8s", b"cxspars\0", "header-inconsistent"),
        (32, ">I", 0, "header-inconsistent"),
        (32, ">I", 256, "header-inconsistent"),
        (32, ">I", 3 << 16, "header-inconsistent"),
        (32, ">I", 1 << 29, "header-inconsistent"),
        (28, ">I", UNUSED, "table-too-large"),
        (28, ">I", (2 << 40) // BLOCK + 1, "table-too-large"),
        (28, ">I", 15, "table-too-small"),
        (16, ">Q", 1 << 63, "offset-past-end"),
        (16, ">Q", len(dynamic()) - 63, "offset-past-end"),
        (16, ">Q", 511, "metadata-overlap"),
        (16, ">Q", 1535, "metadata-overlap"),
        (16, ">Q", len(dynamic()) - 512 - 63, "metadata-overlap"),
    ],
)
def test_a_dynamic_header_that_lies_is_broken(
    offset: int, layout: str, value: object, code: str
) -> None:
    made = header(dynamic(UNUSED), offset, layout, value)
    assert ending(vhd.read_facts, made) == ("broken", code)


@pytest.mark.parametrize("block", [512, 4096, 1 << 21, 1 << 28])
def test_every_block_size_of_the_specification_is_read(block: int) -> None:
    entries = -(-SIZE // block)
    made = vhd_dynamic(block=block, entries=entries, bat=[UNUSED])
    table = b"\xff" * (4 * entries)
    content = made[:TABLE] + table + bytes(-len(table) % 512) + made[-512:]
    assert read(content).cluster_size == block


def test_a_dynamic_header_past_the_end_is_broken() -> None:
    for offset in ((1 << 64) - 1, len(dynamic()) - 512):
        made = both_footers(dynamic(), 16, ">Q", offset)
        assert refusal(vhd.read_facts, made).kind == "broken"


def test_a_table_above_the_limit_is_unsupported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BLOCKS", 15)
    assert ending(vhd.read_facts, dynamic()) == ("unsupported", "table-too-large")


def test_blocks_may_lie_in_any_order_and_with_gaps() -> None:
    order = [4 + STRIDE * index for index in (2, 0, 4)]
    assert read(dynamic(order[0], UNUSED, order[1], UNUSED, order[2], blocks=5)).problems == ()


@pytest.mark.parametrize(
    ("bat", "code"),
    [
        ([4, 4], "metadata-overlap"),
        ([4, 4 + 1], "metadata-overlap"),
        ([4, 4 + STRIDE - 1], "metadata-overlap"),
        ([4 + STRIDE, UNUSED, 4 + 1], "metadata-overlap"),
        ([0], "metadata-overlap"),
        ([3], "metadata-overlap"),
        ([4 + 2 * STRIDE + 1], "metadata-overlap"),
        ([4 + 2 * STRIDE + 2], "offset-past-end"),
        ([UNUSED, UNUSED - 1], "offset-past-end"),
    ],
)
def test_a_block_on_anything_else_or_past_the_end_is_broken(bat: list[int], code: str) -> None:
    assert ending(vhd.read_facts, dynamic(*bat, blocks=3)) == ("broken", code)


def test_the_refusal_of_an_entry_says_where_it_stands() -> None:
    assert refusal(vhd.read_facts, dynamic(UNUSED, UNUSED, 1 << 30)).offset == TABLE + 8


def test_the_whole_table_of_2_tib_is_read() -> None:
    entries = 0xFF000000 // 65536  # several pieces of the table, in blocks of 32 MiB
    stride = 16 + 65536
    first = (TABLE + 4 * entries + 511) // 512
    end = footer(0xFF000000 * 512, kind=3, offset=512, chs=MAXIMAL)
    start = vhd_dynamic(block=1 << 25, entries=entries, footer=end)[:TABLE]
    places = [first + stride * index for index in range(entries)]

    good = start + struct.pack(f">{entries}I", *places)
    size = (first + stride * entries) * 512 + 512
    facts = facts_of(vhd.read_facts, good, size=size, tail=end)
    assert (facts.virtual_size, facts.problems) == (0xFF000000 * 512, ())
    places[60_000] = places[5] + 1
    bad = start + struct.pack(f">{entries}I", *places)
    assert ending(vhd.read_facts, bad, size=size, tail=end) == ("broken", "metadata-overlap")
