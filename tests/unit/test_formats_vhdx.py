"""A VHDX file is read whole or refused by name."""

from __future__ import annotations

import struct
import uuid
from functools import cache

import pytest

from diskwright.formats import limits, vhdx
from diskwright.model.image import ImageFacts
from support.hostile import vhdx as builder
from support.hostile.vhdx import BATG, METAG
from support.image_bytes import ending, facts_of, patched, refusal, vhdx_summed

K = 1024
MIB = 1 << 20
HEADERS = (64 * K, 128 * K)
REGIONS = (192 * K, 256 * K)
METADATA = 2 * MIB
ITEMS = METADATA + 64 * K  # parameters, size, page 83, logical and physical sector, 8-aligned
PARAMETERS, SIZE, LOGICAL, PHYSICAL = ITEMS, ITEMS + 8, ITEMS + 32, ITEMS + 40
TABLE = 3 * MIB
PRESENT = 6
UNKNOWN = uuid.UUID(int=7).bytes_le
LOCATOR = "A8D35F2D-B30B-454D-ABF7-D3D84834AB0C"


@cache
def good(**how: object) -> bytes:
    """8 MiB in blocks of 1 MiB; log, metadata and block table are the MiBs 1, 2 and 3."""
    return builder.vhdx(**how)


def read(content: bytes, **how: object) -> ImageFacts:
    return facts_of(vhdx.read_facts, content, **how)


def header(which: int, *changes: tuple[int, str, object], content: bytes | None = None) -> bytes:
    made = good() if content is None else content
    for offset, layout, value in changes:
        made = patched(made, HEADERS[which] + offset, layout, value)
    return vhdx_summed(made, HEADERS[which], 4 * K)


def both_headers(*changes: tuple[int, str, object]) -> bytes:
    return header(1, *changes, content=header(0, *changes))


def regions(*entries: tuple[object, ...], count: int | None = None) -> bytes:
    """Both copies: (GUID bytes, offset, length, required) each."""
    table = struct.pack("<4sIII", b"regi", 0, len(entries) if count is None else count, 0)
    table += b"".join(struct.pack("<16sQII", *entry) for entry in entries)
    made = good()
    for at in REGIONS:
        made = made[:at] + table.ljust(64 * K, b"\0") + made[at + 64 * K :]
        made = vhdx_summed(made, at, 64 * K)
    return made


BAT_REGION = (BATG.bytes_le, TABLE, MIB, 1)
METADATA_REGION = (METAG.bytes_le, METADATA, MIB, 1)


def item(index: int) -> int:
    return METADATA + 32 + 32 * index


def blocks(*entries: int, mib: int = 8, **how: object) -> tuple[bytes, int]:
    """The block table, and the length of a file with `mib` MiB after the metadata."""
    made = patched(good(**how), TABLE, f"<{len(entries)}Q", *entries)
    return made, (4 + mib) * MIB


def at(mib: int, state: int = PRESENT) -> int:
    return mib << 20 | state


def test_facts_are_those_of_the_metadata() -> None:
    facts = read(good())
    assert (facts.format, facts.subformat, facts.version) == ("vhdx", "dynamic", 1)
    assert (facts.virtual_size, facts.exact_size) == (8 * MIB, 8 * MIB)
    assert (facts.cluster_size, facts.file_size) == (MIB, 4 * MIB)
    assert (facts.creator, facts.problems) == ("diskwright", ())


def test_a_disk_that_keeps_its_blocks_is_fixed() -> None:
    assert read(patched(good(), PARAMETERS + 4, "<I", 1)).subformat == "fixed"


def test_a_creator_may_be_missing_and_is_never_more_than_text() -> None:
    assert read(patched(good(), 8, "512s", b"")).creator is None
    assert read(patched(good(), 8, "4s", b"\0\xd8a\0")).creator.startswith("�a")


def test_a_file_that_is_shorter_than_its_headers_is_truncated() -> None:
    for length in (8, 65600, MIB - 1):
        assert ending(vhdx.read_facts, good()[:length]) == ("broken", "truncated")
    other = patched(good(), 0, "8s", b"vhdxfilf")
    assert ending(vhdx.read_facts, other) == ("broken", "header-inconsistent")


# --- the headers -------------------------------------------------------------------------------

LOG_GUID = (48, "16s", b"\x43" * 16)
SEQUENCE = 8
REPLAY = ("unsupported", "journal-not-replayed")


def test_a_log_to_be_replayed_is_unsupported() -> None:
    assert ending(vhdx.read_facts, both_headers(LOG_GUID)) == REPLAY


def test_the_sound_header_with_the_higher_number_counts() -> None:
    assert ending(vhdx.read_facts, header(1, LOG_GUID)) == REPLAY
    assert read(header(0, LOG_GUID)).problems == ()
    newer = header(0, LOG_GUID, (SEQUENCE, "<Q", 1 << 40))
    assert ending(vhdx.read_facts, newer) == REPLAY


def test_a_header_with_a_wrong_checksum_or_signature_does_not_count() -> None:
    for offset, layout, value in ((0, "4s", b"hea\0"), (100, "B", 1)):
        damaged = patched(good(), HEADERS[1] + offset, layout, value)
        assert ending(vhdx.read_facts, header(0, LOG_GUID, content=damaged)) == REPLAY
        assert read(damaged).problems == ()
        neither = patched(damaged, HEADERS[0] + offset, layout, value)
        assert ending(vhdx.read_facts, neither) == ("broken", "checksum")
    summed = both_headers((0, "4s", b"HEAD"))
    assert ending(vhdx.read_facts, summed) == ("broken", "checksum")


def test_two_headers_with_one_number_are_the_same_or_broken() -> None:
    same = header(1, (SEQUENCE, "<Q", 1))
    assert read(same).problems == ()
    differ = header(1, (16, "B", 9), content=same)
    assert ending(vhdx.read_facts, differ) == ("broken", "header-inconsistent")


def test_other_versions_are_unsupported() -> None:
    unknown = ("unsupported", "version-unknown")
    assert ending(vhdx.read_facts, both_headers((66, "<H", 2))) == unknown
    assert ending(vhdx.read_facts, both_headers((64, "<H", 1))) == unknown


@pytest.mark.parametrize(
    ("offset", "layout", "value", "code"),
    [
        (72, "<Q", MIB + 4096, "offset-unaligned"),
        (68, "<I", 4096, "offset-unaligned"),
        (68, "<I", 0, "offset-unaligned"),
        (72, "<Q", 4 * MIB, "offset-past-end"),
        (72, "<Q", (1 << 64) - MIB, "offset-past-end"),
        (72, "<Q", 0, "metadata-overlap"),
        (72, "<Q", METADATA, "metadata-overlap"),
    ],
)
def test_a_log_in_a_wrong_place_is_broken(offset: int, layout: str, value: int, code: str) -> None:
    made = both_headers((offset, layout, value))
    assert ending(vhdx.read_facts, made) == ("broken", code)


# --- the regions -------------------------------------------------------------------------------


def test_the_first_region_table_counts_and_a_second_one_does_not_contradict_it() -> None:
    first = patched(good(), REGIONS[0] + 5000, "B", 1)
    assert ending(vhdx.read_facts, first) == ("broken", "checksum")
    assert read(patched(good(), REGIONS[1] + 5000, "B", 1)).problems == ()
    differs = vhdx_summed(patched(good(), REGIONS[1] + 24, "B", 1), REGIONS[1], 64 * K)
    assert ending(vhdx.read_facts, differs) == ("broken", "header-inconsistent")


def test_a_region_that_is_not_known_is_refused_if_it_is_required() -> None:
    for required in (0, 1):
        made = regions(BAT_REGION, METADATA_REGION, (UNKNOWN, 4 * MIB, MIB, required))
        if required:
            end = ending(vhdx.read_facts, made, size=5 * MIB)
            assert end == ("unsupported", "feature-unknown")
        else:
            assert read(made, size=5 * MIB).problems == ()


@pytest.mark.parametrize(
    ("entries", "code"),
    [
        ([BAT_REGION], "header-inconsistent"),
        ([METADATA_REGION], "header-inconsistent"),
        ([], "header-inconsistent"),
        ([BAT_REGION, METADATA_REGION, BAT_REGION], "header-inconsistent"),
        ([BAT_REGION, METADATA_REGION, METADATA_REGION], "header-inconsistent"),
        ([BAT_REGION, (METAG.bytes_le, METADATA + 4096, MIB, 1)], "offset-unaligned"),
        ([BAT_REGION, (METAG.bytes_le, METADATA, 64 * K, 1)], "offset-unaligned"),
        ([BAT_REGION, (METAG.bytes_le, METADATA, 0, 1)], "offset-unaligned"),
        ([BAT_REGION, (METAG.bytes_le, METADATA, 3 * MIB, 1)], "offset-past-end"),
        ([BAT_REGION, (METAG.bytes_le, (1 << 64) - MIB, MIB, 1)], "offset-past-end"),
        ([BAT_REGION, (METAG.bytes_le, METADATA, 2 * MIB, 1)], "metadata-overlap"),
        ([BAT_REGION, (METAG.bytes_le, MIB, MIB, 1)], "metadata-overlap"),
        ([BAT_REGION, (METAG.bytes_le, 0, MIB, 1)], "metadata-overlap"),
        ([BAT_REGION, METADATA_REGION, (UNKNOWN, METADATA, MIB, 0)], "metadata-overlap"),
    ],
)
def test_regions_that_contradict_each_other_or_the_file_are_broken(
    entries: list[tuple[object, ...]], code: str
) -> None:
    assert ending(vhdx.read_facts, regions(*entries)) == ("broken", code)


def test_more_regions_than_a_table_holds_are_broken() -> None:
    made = regions(BAT_REGION, METADATA_REGION, count=2048)
    assert ending(vhdx.read_facts, made) == ("broken", "table-too-large")
    whole = regions(BAT_REGION, METADATA_REGION, count=2047)  # the others are zeros
    assert ending(vhdx.read_facts, whole) == ("broken", "offset-unaligned")


# --- the metadata ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("offset", "layout", "value", "end"),
    [
        (METADATA, "8s", b"metadat\0", ("broken", "header-inconsistent")),
        (METADATA + 10, "<H", 2048, ("broken", "table-too-large")),
        (METADATA + 10, "<H", 0, ("broken", "header-inconsistent")),
        (METADATA + 10, "<H", 4, ("broken", "header-inconsistent")),
        (item(0) + 20, "<I", 16, ("broken", "header-inconsistent")),
        (item(1) + 20, "<I", 4, ("broken", "header-inconsistent")),
        (item(2) + 20, "<I", 0, ("broken", "header-inconsistent")),
        (item(3) + 20, "<I", 8, ("broken", "header-inconsistent")),
        (item(1) + 16, "<I", 0, ("broken", "metadata-overlap")),
        (item(1) + 16, "<I", 64 * K - 1, ("broken", "metadata-overlap")),
        (item(1) + 16, "<I", MIB - 7, ("broken", "offset-past-end")),
        (item(1) + 20, "<I", (1 << 32) - 1, ("broken", "offset-past-end")),
        (item(4), "16s", UNKNOWN, ("unsupported", "feature-unknown")),
        (PARAMETERS, "<I", 0, ("broken", "header-inconsistent")),
        (PARAMETERS, "<I", MIB // 2, ("broken", "header-inconsistent")),
        (PARAMETERS, "<I", 3 * MIB, ("broken", "header-inconsistent")),
        (PARAMETERS, "<I", 512 * MIB, ("broken", "header-inconsistent")),
        (PARAMETERS + 4, "<I", 4, ("broken", "reserved-bits")),
        (SIZE, "<Q", 0, ("broken", "too-short")),
        (SIZE, "<Q", 8 * MIB - 256, ("unsupported", "size-unaligned")),
        (SIZE, "<Q", (64 << 40) + 512, ("broken", "size-too-large")),
        (SIZE, "<Q", (1 << 64) - 512, ("broken", "size-too-large")),
        (LOGICAL, "<I", 4096, ("unsupported", "sector-size")),
        (LOGICAL, "<I", 520, ("broken", "header-inconsistent")),
        (LOGICAL, "<I", 0, ("broken", "header-inconsistent")),
        (PHYSICAL, "<I", 1024, ("broken", "header-inconsistent")),
    ],
)
def test_metadata_that_lies_is_refused(
    offset: int, layout: str, value: object, end: tuple[str, str]
) -> None:
    assert ending(vhdx.read_facts, patched(good(), offset, layout, value)) == end


def test_an_item_twice_is_broken_and_one_that_is_not_required_is_ignored() -> None:
    logical = str(uuid.UUID(bytes_le=good()[item(3) : item(3) + 16]))
    twice = good_with([(logical, struct.pack("<I", 512), 4)])
    assert ending(vhdx.read_facts, twice) == ("broken", "header-inconsistent")
    extra = [(str(uuid.UUID(int=7)), b"anything", 0)]
    assert read(good_with(extra)).problems == ()


def good_with(items: list[tuple[str, bytes, int]], **how: object) -> bytes:
    return builder.vhdx(extra_items=items, **how)


def test_both_physical_sectors_are_read() -> None:
    assert read(patched(good(), PHYSICAL, "<I", 4096)).virtual_size == 8 * MIB


# --- parents -----------------------------------------------------------------------------------


def locator(pairs: dict[str, str]) -> bytes:
    words = [(key.encode("utf-16-le"), value.encode("utf-16-le")) for key, value in pairs.items()]
    place = 20 + 12 * len(words)
    table, text = struct.pack("<16sHH", bytes(16), 0, len(words)), b""
    for key, value in words:
        ends = place + len(text), place + len(text) + len(key)
        table += struct.pack("<IIHH", *ends, len(key), len(value))
        text += key + value
    return table + text


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (
            locator({"relative_path": ".\\b.vhdx", "absolute_win32_path": "C:\\b.vhdx"}),
            "C:\\b.vhdx",
        ),
        (locator({"parent_linkage": "{7}", "relative_path": ".\\b.vhdx"}), ".\\b.vhdx"),
        (locator({"parent_linkage": "{7}"}), ""),
        (locator({}), ""),
        (b"\0" * 19, ""),
        (struct.pack("<16sHH", bytes(16), 0, 65535), ""),
        (struct.pack("<16sHHIIHH", bytes(16), 0, 1, 1 << 31, 1 << 31, 9, 9), ""),
    ],
)
@pytest.mark.parametrize("has_parent", [0, 1])
def test_a_differencing_disk_is_unsafe_and_its_parent_named(
    data: bytes, name: str, has_parent: int
) -> None:
    made = good_with([(LOCATOR, data, 4)], has_parent=has_parent)
    found = refusal(vhdx.read_facts, made)
    assert (found.kind, found.code) == ("unsafe", "reference-outside")
    assert found.detail == f"it names a parent: {name!a}"


def test_a_parent_locator_of_no_bytes_is_one() -> None:
    made = patched(good_with([(LOCATOR, b"", 4)]), item(5) + 16, "<II", 0, 0)
    assert ending(vhdx.read_facts, made) == ("unsafe", "reference-outside")


def test_a_parent_without_a_name_is_unsafe_before_other_metadata_is_judged() -> None:
    made = patched(patched(good(), PARAMETERS + 4, "<I", 2), LOGICAL, "<I", 4096)
    assert ending(vhdx.read_facts, made) == ("unsafe", "reference-outside")
    found = refusal(vhdx.read_facts, made, follow=True)
    assert (found.kind, found.code) == ("unsupported", "differencing")


# --- the block table ---------------------------------------------------------------------------


def test_blocks_may_lie_in_any_order_and_with_gaps() -> None:
    content, size = blocks(at(9), 0, at(4), at(11), 0, at(6), mib=8)
    assert read(content, size=size).problems == ()


@pytest.mark.parametrize("state", [0, 1, 2, 3])
def test_blocks_without_data_may_name_any_place(state: int) -> None:
    for places in ((at(0, state), at(1 << 40, state)), (at(0, state), at(4))):
        content, size = blocks(*places)
        assert read(content, size=size).problems == ()


@pytest.mark.parametrize(
    ("entries", "code"),
    [
        ([0, at(4, 4)], "header-inconsistent"),
        ([0, at(4, 5)], "header-inconsistent"),
        ([0, at(4, 7)], "header-inconsistent"),
        ([at(4) | 1 << 3], "reserved-bits"),
        ([at(4) | 1 << 7], "reserved-bits"),
        ([at(4) | 1 << 8], "reserved-bits"),
        ([at(4) | 1 << 19], "reserved-bits"),
        ([at(4), 0, 1 << 12], "reserved-bits"),
        ([at(12)], "offset-past-end"),
        ([at((1 << 44) - 1)], "offset-past-end"),
        ([at(4), at(4)], "metadata-overlap"),
        ([at(0)], "metadata-overlap"),
        ([at(1)], "metadata-overlap"),
        ([at(2)], "metadata-overlap"),
        ([at(3)], "metadata-overlap"),
    ],
)
def test_a_block_on_anything_else_or_past_the_end_is_broken(entries: list[int], code: str) -> None:
    content, size = blocks(*entries)
    assert ending(vhdx.read_facts, content, size=size) == ("broken", code)


def test_long_blocks_that_overlap_in_part_are_broken() -> None:
    overlap = "metadata-overlap"
    for places, code in (((4, 7), overlap), ((5, 8), overlap), ((8, 5), overlap), ((4, 8), "")):
        content, size = blocks(*map(at, places), block=4 * MIB)
        if code:
            assert ending(vhdx.read_facts, content, size=size) == ("broken", code)
        else:
            assert read(content, size=size).problems == ()
    content, size = blocks(at(4), mib=8, block=4 * MIB)
    on_region = regions(BAT_REGION, METADATA_REGION, (UNKNOWN, 7 * MIB, MIB, 0))
    mixed = on_region[:METADATA] + content[METADATA:]
    assert ending(vhdx.read_facts, mixed, size=size) == ("broken", "metadata-overlap")


def test_the_refusal_of_an_entry_says_where_it_stands() -> None:
    content, size = blocks(0, 0, at(100))
    assert refusal(vhdx.read_facts, content, size=size).offset == TABLE + 16
    content, size = blocks(0, 0, 0, 4)
    assert refusal(vhdx.read_facts, content, size=size).offset == TABLE + 24


def test_the_file_may_end_within_the_last_block_after_the_disk() -> None:
    how = {"size": 8 * MIB + 512}
    last = [at(1 << 40, 2), *[0] * 7, at(4)]
    content, _ = blocks(*last, **how)
    assert read(content, size=4 * MIB + 512).virtual_size == 8 * MIB + 512
    past_end = ("broken", "offset-past-end")
    assert ending(vhdx.read_facts, content, size=4 * MIB + 511) == past_end
    first, _ = blocks(at(4), **how)
    assert ending(vhdx.read_facts, first, size=5 * MIB - 1) == past_end


def test_entries_for_sector_bitmaps_are_no_blocks() -> None:
    """With blocks of 256 MiB every 17th entry."""
    how = {"size": 17 << 28, "block": 1 << 28}
    bitmap, seventeenth = TABLE + 16 * 8, TABLE + 17 * 8
    made = patched(good(**how), bitmap, "<Q", at(2))
    assert read(made).problems == ()
    made = patched(good(**how), seventeenth, "<Q", at(2))
    assert refusal(vhdx.read_facts, made).offset == seventeenth


def test_a_block_table_too_small_for_the_disk_is_broken() -> None:
    fits = (MIB // 8) * 1024 // 1025 * MIB
    assert read(patched(good(), SIZE, "<Q", fits)).virtual_size == fits
    made = patched(good(), SIZE, "<Q", 2 * fits)
    assert ending(vhdx.read_facts, made) == ("broken", "table-too-small")


def test_a_block_table_above_the_limits_is_unsupported(monkeypatch: pytest.MonkeyPatch) -> None:
    too_large = ("unsupported", "table-too-large")
    with monkeypatch.context() as patch:
        patch.setattr(limits, "BLOCKS", 7)
        assert ending(vhdx.read_facts, good()) == too_large
    with monkeypatch.context() as patch:
        patch.setattr(limits, "VHDX_BAT_BYTES", MIB - 1)
        assert ending(vhdx.read_facts, good()) == too_large
    with monkeypatch.context() as patch:
        patch.setattr(limits, "BLOCK_PLACES", 4)
        assert ending(vhdx.read_facts, good()) == too_large


def test_64_tib_are_read() -> None:
    made = patched(patched(good(), SIZE, "<Q", 64 << 40), PARAMETERS, "<I", 256 * MIB)
    assert read(regions_of(made, 3 * MIB), size=7 * MIB).virtual_size == 64 << 40


def regions_of(content: bytes, table_bytes: int) -> bytes:
    """`content` with a longer block table."""
    made = regions((BATG.bytes_le, TABLE, table_bytes, 1), METADATA_REGION)
    return made[:METADATA] + content[METADATA:]
