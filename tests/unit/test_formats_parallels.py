"""A Parallels image is read whole or refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from diskwright.formats import parallels as parser
from diskwright.model.image import ImageFormat
from support.images import look_at
from support.looking import read, refused
from support.small_images import parallels

OLD = b"WithoutFreeSpace"


def facts_of(content: bytes):
    return read(parser.read_facts, content)


def code_of(content: bytes) -> str:
    return refused(parser.read_facts, content).code


def test_facts_are_those_of_the_header() -> None:
    facts = facts_of(parallels())
    assert (facts.format, facts.version, facts.virtual_size) == ("parallels", 2, 8192)
    assert (facts.cluster_size, facts.subformat) == (1024, "WithouFreSpacExt")
    assert facts.problems == ()


@pytest.mark.parametrize("extension", [".hds", ".hdd"])
@pytest.mark.parametrize("magic", [OLD, b"WithouFreSpacExt"])
def test_both_signatures_are_recognised(magic: bytes, extension: str, tmp_path: Path) -> None:
    path = tmp_path / f"disk{extension}"
    path.write_bytes(parallels(magic=magic, bat=[]))
    facts = look_at(path)
    assert (facts.format, facts.problems) == (ImageFormat.PARALLELS, ())


def test_entries_of_the_older_kind_count_sectors() -> None:
    assert facts_of(parallels(magic=OLD, bat=[6, 0, 2])).subformat == OLD.decode()
    assert code_of(parallels(magic=OLD, bat=[3])) == "offset-unaligned"
    assert code_of(parallels(magic=OLD, bat=[10])) == "offset-past-end"


def test_of_the_older_kind_the_low_half_of_the_size_counts() -> None:
    assert facts_of(parallels(magic=OLD, bat=[], sectors=16 | 1 << 40)).virtual_size == 8192
    assert code_of(parallels(sectors=16 | 1 << 40)) == "table-too-small"


def test_without_a_data_offset_data_begins_behind_the_table() -> None:
    assert facts_of(parallels(magic=OLD, data_offset=0, bat=[1, 3]))
    assert code_of(parallels(magic=OLD, data_offset=0, bat=[2])) == "offset-unaligned"
    assert code_of(parallels(data_offset=0)) == "header-inconsistent"


def test_a_file_that_was_not_closed_is_read_and_called_dirty() -> None:
    facts = facts_of(parallels(in_use=0x746F6E59))
    assert [problem.code for problem in facts.problems] == ["dirty"]
    assert facts_of(parallels(in_use=0x312E3276)).problems == ()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"version": 3}, "version-unknown"),
        ({"tracks": 0}, "cluster-size"),
        ({"tracks": 1 << 30}, "cluster-size"),
        ({"in_use": 7}, "header-inconsistent"),
        ({"extension": 4}, "feature-unknown"),
        ({"sectors": 0}, "too-short"),
        ({"sectors": 17}, "table-too-small"),
        ({"entries": 1 << 29, "sectors": 16}, "table-too-large"),
        ({"entries": 2000, "sectors": 16}, "offset-past-end"),
        ({"data_offset": 3}, "header-inconsistent"),
        ({"entries": 300, "data_offset": 2}, "metadata-overlap"),
        ({"bat": [5]}, "offset-past-end"),
        ({"bat": [0xFFFFFFFF]}, "offset-past-end"),
        ({"bat": [1, 0, 1]}, "metadata-overlap"),
        ({"data_offset": 4, "bat": [1]}, "metadata-overlap"),
        ({"flags": 1}, "header-inconsistent"),
    ],
)
def test_what_qemu_would_misread_is_refused(changes: dict, code: str) -> None:
    assert code_of(parallels(**changes)) == code


def test_an_empty_image_that_is_marked_so_is_read() -> None:
    assert facts_of(parallels(flags=1, bat=[])).virtual_size == 8192


def test_the_file_may_end_within_the_disks_last_cluster_after_its_last_byte() -> None:
    content = parallels(sectors=15, bat=[1, 0, 0, 0, 0, 0, 0, 4])
    assert facts_of(content[: 4 * 1024 + 512])
    assert code_of(content[: 4 * 1024 + 511]) == "offset-past-end"
    other = parallels(sectors=15, bat=[4])
    assert code_of(other[: 5 * 1024 - 1]) == "offset-past-end"


def test_a_header_cut_short_is_broken() -> None:
    assert code_of(parallels()[:63]) == "truncated"
