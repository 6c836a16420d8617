"""A VDI file is read whole or refused by name."""

from __future__ import annotations

import pytest

from diskwright.formats import limits, vdi
from diskwright.model.image import Geometry, ImageFacts
from support.hostile import vdi as builder
from support.image_bytes import ending, facts_of, patched, refusal

MIB = 1 << 20
MAP = 512
UNUSED, ZERO = 0xFFFFFFFF, 0xFFFFFFFE


def good(**how: object) -> bytes:
    """4 MiB; the file has two blocks from byte 1024 on."""
    return builder.vdi(**how)


def read(content: bytes, **how: object) -> ImageFacts:
    return facts_of(vdi.read_facts, content, **how)


def test_facts_are_those_of_the_header() -> None:
    facts = read(good())
    assert (facts.format, facts.subformat, facts.version) == ("vdi", "dynamic", 1)
    assert (facts.virtual_size, facts.exact_size) == (4 * MIB, 4 * MIB)
    assert (facts.cluster_size, facts.file_size) == (MIB, 1024 + 2 * MIB)
    assert (facts.creator, facts.geometry, facts.problems) == ("diskwright VDI", None, ())


def test_a_static_disk_is_read() -> None:
    assert read(good(kind=2)).subformat == "static"


def test_a_geometry_is_told_where_there_is_one() -> None:
    assert read(patched(good(), 348, "<III", 8, 4, 17)).geometry == Geometry(8, 4, 17)


def test_a_creator_is_told_without_the_marks_around_it() -> None:
    text = b"<<< Oracle VM VirtualBox Disk Image >>>\n"
    assert read(patched(good(), 0, "64s", text)).creator == "Oracle VM VirtualBox Disk Image"
    assert read(patched(good(), 0, "64s", b"")).creator is None


def test_a_header_with_later_fields_is_read_whatever_its_length() -> None:
    for length in (384, 400, 440):
        assert read(patched(good(), 72, "<I", length)).virtual_size == 4 * MIB


@pytest.mark.parametrize("length", [0, 68, 100, 455])
def test_a_file_shorter_than_its_header_is_truncated(length: int) -> None:
    assert ending(vdi.read_facts, good()[:length]) == ("broken", "truncated")


@pytest.mark.parametrize(
    ("offset", "layout", "value", "end"),
    [
        (64, "<I", 0xBEDA107E, ("broken", "header-inconsistent")),
        (68, "<I", 0x10000, ("unsupported", "version-unknown")),
        (68, "<I", 0x20001, ("unsupported", "version-unknown")),
        (72, "<I", 383, ("broken", "header-inconsistent")),
        (72, "<I", 441, ("broken", "metadata-overlap")),
        (76, "<I", 0, ("unsupported", "subformat-unknown")),
        (76, "<I", 5, ("unsupported", "subformat-unknown")),
        (76, "<I", 3, ("unsupported", "differencing")),
        (76, "<I", 4, ("unsupported", "differencing")),
        (340, "<I", 0, ("broken", "metadata-overlap")),
        (340, "<I", 513, ("broken", "offset-unaligned")),
        (340, "<I", 1 << 31, ("broken", "offset-past-end")),
        (344, "<I", 1025, ("broken", "offset-unaligned")),
        (344, "<I", 512, ("broken", "metadata-overlap")),
        (344, "<I", 1536, ("broken", "offset-past-end")),
        (360, "<I", 4096, ("unsupported", "sector-size")),
        (368, "<Q", 0, ("broken", "header-inconsistent")),
        (368, "<Q", 4 * MIB - 1, ("unsupported", "size-unaligned")),
        (368, "<Q", 4 * MIB + 512, ("broken", "header-inconsistent")),
        (368, "<Q", 3 * MIB, ("broken", "header-inconsistent")),
        (368, "<Q", (1 << 64) - 512, ("broken", "size-too-large")),
        (376, "<I", 0, ("unsupported", "cluster-size")),
        (376, "<I", 2 * MIB, ("unsupported", "cluster-size")),
        (380, "<I", 512, ("unsupported", "feature-unknown")),
        (384, "<I", 3, ("broken", "header-inconsistent")),
        (384, "<I", (1 << 32) - 1, ("broken", "header-inconsistent")),
        (424, "16s", b"\x33" * 16, ("unsupported", "feature-unknown")),
    ],
)
def test_a_header_that_lies_is_refused(
    offset: int, layout: str, value: object, end: tuple[str, str]
) -> None:
    assert ending(vdi.read_facts, patched(good(), offset, layout, value)) == end


def test_a_disk_that_need_not_be_whole_blocks_is_read() -> None:
    facts = read(patched(good(), 368, "<Q", 3 * MIB + 512))
    assert facts.virtual_size == 3 * MIB + 512


@pytest.mark.parametrize("kind", [1, 2, 3, 4])
def test_a_parent_is_unsafe_whatever_the_type_says(kind: int) -> None:
    made = patched(good(kind=kind, parent=bytes(range(16))), 360, "<I", 4096)
    found = refusal(vdi.read_facts, made)
    assert (found.kind, found.code) == ("unsafe", "reference-outside")
    assert "03020100-0504-0706-0809-0a0b0c0d0e0f" in found.detail
    allowed = refusal(vdi.read_facts, made, follow=True)
    assert (allowed.kind, allowed.code) == ("unsupported", "differencing")


def test_a_disk_without_a_byte_is_broken() -> None:
    empty = good(size=0, blocks=0, bmap=())
    assert ending(vdi.read_facts, empty) == ("broken", "header-inconsistent")


def test_blocks_may_lie_in_any_order_and_be_zeros() -> None:
    assert read(good(bmap=(1, ZERO, UNUSED, 0))).problems == ()
    assert read(good(bmap=(ZERO, ZERO, UNUSED, ZERO))).problems == ()


@pytest.mark.parametrize(
    ("blocks", "code"),
    [
        ((0, 0, UNUSED, UNUSED), "metadata-overlap"),
        ((1, ZERO, UNUSED, 1), "metadata-overlap"),
        ((0, 2, UNUSED, UNUSED), "offset-past-end"),
        ((0, ZERO - 1, UNUSED, UNUSED), "offset-past-end"),
    ],
)
def test_a_block_twice_or_past_the_end_is_broken(blocks: tuple[int, ...], code: str) -> None:
    assert ending(vdi.read_facts, good(bmap=blocks)) == ("broken", code)


def test_the_refusal_of_an_entry_says_where_it_stands() -> None:
    assert refusal(vdi.read_facts, good(bmap=(0, UNUSED, 9, 1))).offset == MAP + 8


def test_the_file_may_end_within_the_last_block_after_the_disk() -> None:
    made = patched(good(bmap=(UNUSED, UNUSED, UNUSED, 1)), 368, "<Q", 3 * MIB + 512)
    end = 1024 + MIB + 512
    assert read(made[:end]).virtual_size == 3 * MIB + 512
    assert ending(vdi.read_facts, made[: end - 1]) == ("broken", "offset-past-end")
    first = good(bmap=(1, UNUSED, UNUSED, UNUSED))
    assert ending(vdi.read_facts, first[:-1]) == ("broken", "offset-past-end")


def test_a_map_that_is_cut_within_its_last_sector_is_broken() -> None:
    empty = good(bmap=(UNUSED,) * 4)
    assert read(empty[:1024]).virtual_size == 4 * MIB
    assert ending(vdi.read_facts, empty[:1023]) == ("broken", "offset-past-end")


def test_a_map_above_the_limit_is_unsupported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BLOCKS", 3)
    assert ending(vdi.read_facts, good()) == ("unsupported", "table-too-large")
