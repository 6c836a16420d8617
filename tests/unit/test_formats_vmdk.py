"""A sparse VMDK is read whole or refused by name, from its header to its last table."""

from __future__ import annotations

import struct
from pathlib import Path
from unittest import mock

import pytest

from diskwright.errors import ImageRefused, ImageUnsafe
from diskwright.formats import limits
from diskwright.formats.support import SUPPORT
from diskwright.model.image import Geometry, ImageFacts
from support.hostile.vmdk import vmdk_desc, vmdk_sparse
from support.images import look_at
from support.vmdk_maker import GRAIN, SECTOR, Stream, descriptor, sparse

DISK = 512 * GRAIN  # sectors of one table
CONTENT = {0: b"A" * 65536, 3: b"B" * 65536, 600: b"C" * 65536}


def facts_of(tmp_path: Path, content: bytes, name: str = "disk.vmdk") -> ImageFacts:
    path = tmp_path / name
    path.write_bytes(content)
    return look_at(path)


def refusal(tmp_path: Path, content: bytes, name: str = "disk.vmdk") -> ImageRefused:
    with pytest.raises(ImageRefused) as caught:
        facts_of(tmp_path, content, name)
    return caught.value


def ending(tmp_path: Path, content: bytes) -> tuple[str, str]:
    found = refusal(tmp_path, content)
    return found.kind, found.code


def patched(content: bytes, offset: int, layout: str, *values: int) -> bytes:
    changed = bytearray(content)
    struct.pack_into(layout, changed, offset, *values)
    return bytes(changed)


def test_vmdk_is_told_as_read() -> None:
    assert [row.read for row in SUPPORT if row.format == "vmdk"] == [True]


def test_facts_are_those_of_the_header_and_the_descriptor(tmp_path: Path) -> None:
    facts = facts_of(tmp_path, vmdk_sparse())
    assert (facts.format, facts.subformat, facts.version) == ("vmdk", "monolithicSparse", 1)
    assert (facts.virtual_size, facts.exact_size) == (1 << 20, 1 << 20)
    assert (facts.cluster_size, facts.compressed) == (65536, False)
    assert facts.geometry == Geometry(2, 16, 63)
    assert (facts.creator, facts.problems, facts.references) == (None, (), ())
    assert facts.features == ("redundant-tables",)


@pytest.mark.parametrize("version", [1, 2, 3])
def test_every_version_is_read(version: int, tmp_path: Path) -> None:
    assert facts_of(tmp_path, vmdk_sparse(version=version)).version == version


@pytest.mark.parametrize("version", [0, 4])
def test_another_version_is_unsupported(version: int, tmp_path: Path) -> None:
    assert ending(tmp_path, vmdk_sparse(version=version)) == ("unsupported", "version-unknown")


def test_what_an_unclean_file_has_is_read_and_said(tmp_path: Path) -> None:
    facts = facts_of(tmp_path, patched(vmdk_sparse(), 72, "<B", 1))
    assert [problem.code for problem in facts.problems] == ["dirty"]


@pytest.mark.parametrize(
    ("words", "creator"),
    [
        ('ddb.comment = "made by hand"', "made by hand"),
        ('ddb.uuid.image="1234"', "VirtualBox"),
        ('ddb.toolsVersion = "2147483647"', None),
    ],
)
def test_the_creator_is_told_where_the_descriptor_tells_it(
    words: str, creator: str | None, tmp_path: Path
) -> None:
    text = descriptor(f'RW {DISK} SPARSE "x.vmdk"', more=words)
    assert facts_of(tmp_path, sparse(DISK, {}, text=text)).creator == creator


@pytest.mark.parametrize(
    ("offset", "layout", "value", "end"),
    [
        (8, "<I", 3 | 1 << 3, ("unsupported", "feature-unknown")),
        (8, "<I", 3 | 1 << 16, ("broken", "header-inconsistent")),
        (77, "<H", 1, ("broken", "header-inconsistent")),
        (77, "<H", 2, ("unsupported", "compression-unknown")),
        (12, "<Q", 0, ("broken", "too-short")),
        (12, "<Q", 2049, ("broken", "header-inconsistent")),
        (12, "<Q", (1 << 54) + 1, ("broken", "size-too-large")),
        (12, "<Q", 1 << 54, ("unsupported", "table-too-large")),
        (20, "<Q", 1 << 16, ("unsupported", "cluster-size")),
        (20, "<Q", 129, ("broken", "header-inconsistent")),
        (28, "<Q", 2, ("unsupported", "subformat-unknown")),
        (28, "<Q", 0, ("unsupported", "part-of-disk")),
        (36, "<Q", 0, ("unsupported", "part-of-disk")),
        (36, "<Q", 2048, ("broken", "table-too-large")),
        (36, "<Q", 2047, ("broken", "truncated")),
        (44, "<I", 256, ("unsupported", "table-size")),
        (48, "<Q", 1 << 40, ("broken", "offset-past-end")),
        (56, "<Q", 0, ("broken", "header-inconsistent")),
        (56, "<Q", 5, ("broken", "metadata-overlap")),
        (64, "<Q", 1 << 20, ("broken", "offset-past-end")),
    ],
)
def test_a_header_that_lies_is_refused(
    offset: int, layout: str, value: int, end: tuple[str, str], tmp_path: Path
) -> None:
    assert ending(tmp_path, patched(vmdk_sparse(), offset, layout, value)) == end


def test_a_descriptor_ends_within_its_place(tmp_path: Path) -> None:
    text = descriptor(f'RW {DISK} SPARSE "x.vmdk"', more="#" * 400)
    for length, good in ((1, False), (len(text) // SECTOR + 1, True)):
        content = sparse(DISK, {}, text=text, descriptor_size=length)
        if good:
            assert facts_of(tmp_path, content).problems == ()
        else:
            assert ending(tmp_path, content) == ("broken", "header-inconsistent")


def test_compressed_grains_without_markers_are_unsupported(tmp_path: Path) -> None:
    content = vmdk_sparse(flags=3 | 1 << 16, compress=1)
    assert ending(tmp_path, content) == ("unsupported", "feature-unknown")


def test_every_truncation_is_refused(tmp_path: Path) -> None:
    content = sparse(DISK, {0: 128}, copies={0: 128})
    path = tmp_path / "disk.vmdk"
    for kept in (4, 77, 78, 511, 512, 1024, 21 * SECTOR + 1, 23 * SECTOR, len(content) - 1):
        path.write_bytes(content[:kept])
        with pytest.raises(ImageRefused) as caught:
            look_at(path)
        assert caught.value.kind == "broken", kept


@pytest.mark.parametrize(
    ("places", "code"),
    [
        ({0: 128, 7: 128}, "metadata-overlap"),
        ({0: 128, 7: 200}, "offset-unaligned"),
        ({0: 128, 600: 128}, "metadata-overlap"),
        ({0: 512}, "offset-past-end"),
        ({0: 1 << 31}, "offset-past-end"),
        ({0: 21}, "metadata-overlap"),
        ({0: 1}, "metadata-overlap"),
        ({5: 128 * 3 - 1, 6: 128 * 2 - 1, 7: 128 * 2 - 1}, "metadata-overlap"),
    ],
)
def test_grains_lie_in_the_file_and_apart(
    places: dict[int, int], code: str, tmp_path: Path
) -> None:
    found = refusal(tmp_path, sparse(2 * DISK, places, length=512))
    assert (found.kind, found.code) == ("broken", code)


@pytest.mark.parametrize("first", [64, 65, 100, 127, 128])
def test_grains_may_start_at_any_one_distance_from_their_size(first: int, tmp_path: Path) -> None:
    places = {0: first, 9: first + 3 * GRAIN, 511: first + GRAIN, 600: first + 2 * GRAIN}
    assert facts_of(tmp_path, sparse(2 * DISK, places)).virtual_size == 2 * DISK * SECTOR


def small(places: dict[int, int], length: int | None = None) -> bytes:
    """A disk of two tables with grains of 4 KiB."""
    return sparse(2 * 512 * 8, places, grain=8, length=length)


def test_a_table_of_grains_in_a_row_is_checked_as_any_other(tmp_path: Path) -> None:
    row = {n: 128 + n * 8 for n in range(1024)}
    good = small(row)
    assert facts_of(tmp_path, good).cluster_size == 4096
    overlap = ("broken", "metadata-overlap")
    for other in (128, 128 + 1000 * 8):
        assert ending(tmp_path, small(row | {3: other})) == overlap
    assert ending(tmp_path, small({n: 24 + n * 8 for n in range(512)})) == overlap
    mixed = row | {n: place + 1 for n, place in row.items() if n >= 512}
    assert ending(tmp_path, small(mixed)) == ("broken", "offset-unaligned")
    assert ending(tmp_path, good[:-SECTOR]) == ("broken", "offset-past-end")


@pytest.mark.parametrize("number", [0, 1, 300, 511, 700])
@pytest.mark.parametrize("bad", [128 + 14 * 8, 24, 4, 129, 8192, 1 << 20, (1 << 32) - 1])
def test_one_bad_entry_among_many_good_ones_is_found(number: int, bad: int, tmp_path: Path) -> None:
    good = {n: 128 + (n * 7 % 512) * 8 for n in range(512)} | {600: 4224}
    assert facts_of(tmp_path, small(good, 8000)).problems == ()
    assert refusal(tmp_path, small(good | {number: bad}, 8000)).kind == "broken"


def test_a_grain_out_of_step_is_told_as_that(tmp_path: Path) -> None:
    good = {n: 128 + n * 8 for n in range(512)} | {600: 7000}
    assert facts_of(tmp_path, small(good, 8000)).problems == ()
    for other in ({700: 7017}, {1023: 7015}):
        assert ending(tmp_path, small(good | other, 8000)) == ("broken", "offset-unaligned")


def test_a_file_may_end_where_the_disk_does_within_its_last_grain(tmp_path: Path) -> None:
    text = descriptor(f'RW {GRAIN + 8} SPARSE "x.vmdk"')
    places = {0: 256, 1: 128 * 3}
    whole = sparse(GRAIN + 8, places, text=text, length=512)
    assert facts_of(tmp_path, whole[: (384 + 8) * SECTOR]).virtual_size == (GRAIN + 8) * SECTOR
    assert ending(tmp_path, whole[: (384 + 7) * SECTOR]) == ("broken", "offset-past-end")


@pytest.mark.parametrize(
    ("directory", "code"),
    [
        ({1: 22}, "metadata-overlap"),
        ({1: 23}, "metadata-overlap"),
        ({0: 18}, "metadata-overlap"),
        ({0: 20}, "metadata-overlap"),
        ({0: 61}, "offset-past-end"),
        ({1: (1 << 32) - 1}, "offset-past-end"),
    ],
)
def test_tables_lie_in_the_file_and_apart(
    directory: dict[int, int], code: str, tmp_path: Path
) -> None:
    found = refusal(tmp_path, sparse(2 * DISK, {}, directory=directory))
    assert (found.kind, found.code) == ("broken", code)


def test_tables_in_a_row_need_not_be_of_a_disk_s_parts_in_a_row(tmp_path: Path) -> None:
    """The last grain has 4 sectors, at the end of the file; the table between is not there."""
    capacity = 2 * 512 * 8 + 4
    content = sparse(capacity, {512: 64}, grain=8, directory={1: 0, 2: 26}, length=68)
    assert facts_of(tmp_path, content).virtual_size == capacity * SECTOR
    assert ending(tmp_path, content[:-SECTOR]) == ("broken", "offset-past-end")


def test_a_disk_may_lack_tables(tmp_path: Path) -> None:
    assert facts_of(tmp_path, sparse(2 * DISK, {}, directory={0: 0})).problems == ()


def test_copied_tables_are_compared(tmp_path: Path) -> None:
    places = {0: 128, 600: 256}
    facts = facts_of(tmp_path, sparse(2 * DISK, places, copies=places))
    assert (facts.problems, facts.features) == ((), ("redundant-tables",))
    for copies in ({}, {0: 256, 600: 128}):
        facts = facts_of(tmp_path, sparse(2 * DISK, places, copies=copies))
        assert [problem.code for problem in facts.problems] == ["copies-differ"]


def test_copied_tables_need_not_lie_in_a_row(tmp_path: Path) -> None:
    places = {0: 128, 600: 256}
    content = bytearray(sparse(2 * DISK, places, copies=places))
    content[52 * SECTOR : 56 * SECTOR] = content[45 * SECTOR : 49 * SECTOR]
    content[45 * SECTOR : 49 * SECTOR] = bytes(4 * SECTOR)
    assert facts_of(tmp_path, bytes(content)).problems
    assert not facts_of(tmp_path, patched(bytes(content), 40 * SECTOR + 4, "<I", 52)).problems


def test_an_entry_of_1_is_zeros_by_a_flag_and_a_grain_without_it(tmp_path: Path) -> None:
    zeroed = {"flags": 5, "version": 2}
    facts = facts_of(tmp_path, sparse(DISK, {0: 128, 1: 1, 2: 1}, **zeroed))
    assert facts.features == ("zeroed-grains",)
    assert ending(tmp_path, sparse(DISK, {1: 1})) == ("broken", "metadata-overlap")


# --- streams --------------------------------------------------------------------------------------


def test_a_stream_is_read_by_its_footer(tmp_path: Path) -> None:
    facts = facts_of(tmp_path, Stream(2 * DISK, CONTENT).build())
    assert (facts.subformat, facts.compressed, facts.version) == ("streamOptimized", True, 3)
    assert (facts.virtual_size, facts.cluster_size) == (2 * DISK * SECTOR, 65536)
    assert facts.features == ("footer",)


def test_a_packed_grain_is_small(tmp_path: Path) -> None:
    # QEMU inflates all of it again for each part that is asked for
    large = {"grain": 2 * limits.VMDK_PACKED_GRAIN_SECTORS}
    content = Stream(1 << 20, {}, in_header=large, in_footer=large).build()
    assert ending(tmp_path, content) == ("unsupported", "cluster-size")


@pytest.mark.parametrize(
    ("footer", "code"),
    [
        ({"version": 1}, "header-inconsistent"),
        ({"flags": 0x30003}, "header-inconsistent"),
        ({"descriptor": 2}, "header-inconsistent"),
        ({"descriptor_size": 19}, "header-inconsistent"),
        ({"grain": 64}, "header-inconsistent"),
        ({"compression": 0}, "header-inconsistent"),
        ({"directory": (1 << 64) - 1}, "header-inconsistent"),
        ({"directory": 1 << 40}, "offset-past-end"),
        ({"directory": 20}, "metadata-overlap"),
    ],
)
def test_a_footer_agrees_with_its_header(footer: dict[str, int], code: str, tmp_path: Path) -> None:
    content = Stream(2 * DISK, CONTENT, in_footer=footer).build()
    assert ending(tmp_path, content) == ("broken", code)


def test_a_footer_of_another_capacity_is_refused(tmp_path: Path) -> None:
    content = Stream(2 * DISK, CONTENT).build()
    at = len(content) - 1024 + 12
    assert ending(tmp_path, patched(content, at, "<Q", DISK)) == ("broken", "header-inconsistent")


@pytest.mark.parametrize("at", [-1536 + 8, -1536 + 12, -1024, -512, -512 + 8, -512 + 12])
def test_a_stream_ends_with_its_markers(at: int, tmp_path: Path) -> None:
    content = Stream(2 * DISK, CONTENT).build()
    found = ending(tmp_path, patched(content, len(content) + at, "<B", 9))
    assert found == ("broken", "truncated")


def test_a_stream_that_is_cut_is_truncated(tmp_path: Path) -> None:
    content = Stream(2 * DISK, CONTENT).build()
    for kept in (len(content) - 1, len(content) - 512, len(content) // 2, 128 * SECTOR, 1024):
        assert refusal(tmp_path, content[:kept]).code == "truncated"
    odd = content[:-1536] + b"\0" + content[-1536:]  # qemu looks for the footer by whole sectors
    assert refusal(tmp_path, odd).code == "truncated"


@pytest.mark.parametrize(
    ("lie", "code"),
    [
        ({"lie_lba": 128}, "compressed-data"),
        ({"lie_size": 0}, "compressed-data"),
        ({"lie_size": 2 * 65536 - 11}, "compressed-data"),
        ({"lie_size": 2 * 65536 - 12}, "offset-past-end"),
        ({"lie_size": 1024}, "metadata-overlap"),
    ],
)
def test_the_markers_of_compressed_grains_are_checked(
    lie: dict[str, int], code: str, tmp_path: Path
) -> None:
    content = Stream(2 * DISK, CONTENT, **lie).build()  # type: ignore[arg-type]
    assert ending(tmp_path, content) == ("broken", code)


def tables_of(content: bytes) -> int:
    """Where the first table of a stream begins, in bytes."""
    (directory,) = struct.unpack_from("<Q", content, len(content) - 1024 + 56)
    (table,) = struct.unpack_from("<I", content, directory * SECTOR)
    return int(table) * SECTOR


def test_two_entries_for_one_compressed_grain_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = Stream(2 * DISK, CONTENT).build()
    twice = patched(content, tables_of(content) + 4, "<I", 128)
    monkeypatch.setattr(limits, "VMDK_MARKERS", 0)  # they would tell it too
    assert ending(tmp_path, twice) == ("broken", "metadata-overlap")


def test_in_a_large_stream_grains_lie_in_their_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = Stream(2 * DISK, CONTENT).build()
    monkeypatch.setattr(limits, "VMDK_PLACES", 2)
    assert ending(tmp_path, content) == ("unsupported", "table-too-large")
    monkeypatch.setattr(limits, "VMDK_PLACES", 4)
    assert facts_of(tmp_path, content).compressed
    monkeypatch.setattr(limits, "VMDK_MARKERS", 0)
    first = tables_of(content)
    for place, end in (
        (128, ("unsupported", "table-too-large")),
        (first // SECTOR + 1, ("broken", "metadata-overlap")),
    ):
        assert ending(tmp_path, patched(content, first + 12, "<I", place)) == end
    (directory,) = struct.unpack_from("<Q", content, len(content) - 1024 + 56)
    (second,) = struct.unpack_from("<I", content, directory * SECTOR + 4)
    back = patched(content, second * SECTOR + 4 * (600 % 512), "<I", 120)
    assert ending(tmp_path, back) == ("unsupported", "table-too-large")


def test_tables_that_name_more_grains_than_the_file_has_room_for_are_not_read_on(
    tmp_path: Path,
) -> None:
    content = small(dict.fromkeys(range(1024), 128))
    with mock.patch("diskwright.formats.vmdk.grains.Grains.finish") as finish:
        assert ending(tmp_path, content) == ("broken", "metadata-overlap")
    assert not finish.called


def test_more_grains_or_tables_than_are_marked_are_unsupported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = sparse(2 * DISK, {0: 128})
    for name, value in (("VMDK_PLACES", 2), ("VMDK_TABLE_BYTES", 2048)):
        with monkeypatch.context() as patch:
            patch.setattr(limits, name, value)
            assert ending(tmp_path, content) == ("unsupported", "table-too-large")


# --- what is no disk by itself --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("web-s002.vmdk", "it is part 2 of a disk in several files; you need web.vmdk,"),
        ("other.vmdk", "it is one part of a disk in several files; you need the descriptor"),
    ],
)
def test_a_part_of_a_split_disk_says_what_is_needed(name: str, says: str, tmp_path: Path) -> None:
    found = refusal(tmp_path, sparse(DISK, {}, text=b""), name)
    assert (found.kind, found.code) == ("unsupported", "part-of-disk")
    assert says in found.detail


def test_an_esx_sparse_extent_is_unsupported_by_its_name(tmp_path: Path) -> None:
    found = refusal(tmp_path, b"COWD" + bytes(4096))
    assert (found.kind, found.code) == ("unsupported", "subformat-unknown")
    assert "COWD" in found.detail


def test_a_reference_in_a_sparse_file_is_unsafe_before_it_is_anything_else(tmp_path: Path) -> None:
    text = vmdk_desc('RW 8 FLAT "/etc/passwd" 0', "monolithicFlat")
    found = refusal(tmp_path, vmdk_sparse(desc=text, version=9, grain=0, flags=1 << 31))
    assert isinstance(found, ImageUnsafe)
    assert "/etc/passwd" in found.message


@pytest.mark.parametrize("name", ["/etc/passwd", "../x.vmdk", "json:{}", "a/b.vmdk", "C:\\\\x"])
def test_a_sparse_file_that_calls_itself_by_a_path_is_unsafe(name: str, tmp_path: Path) -> None:
    text = descriptor(f'RW {DISK} SPARSE "{name}"')
    assert ending(tmp_path, sparse(DISK, {}, text=text)) == ("unsafe", "reference-outside")
