"""A QED file is read whole or refused by name."""

from __future__ import annotations

import pytest

from diskwright.errors import ImageUnsafe, ImageUnsupported
from diskwright.formats import qed as parser
from diskwright.model.image import ImageFormat, Reference, ReferenceKind
from support.looking import read, refused, source_of
from support.small_images import qed

C = 4096


def facts_of(content: bytes, **options):
    return read(parser.read_facts, content, **options)


def code_of(content: bytes) -> str:
    return refused(parser.read_facts, content).code


def test_facts_are_those_of_the_header() -> None:
    facts = facts_of(qed(size=3 << 20))
    assert (facts.format, facts.virtual_size, facts.exact_size) == ("qed", 3 << 20, 3 << 20)
    assert (facts.cluster_size, facts.file_size, facts.problems) == (C, 8 * C, ())
    assert facts.references == ()


def test_a_backing_file_is_a_reference_before_anything_else_is_judged() -> None:
    found = refused(parser.read_facts, qed(features=1 | 1 << 40, backing=b"/etc/passwd", size=3))
    assert isinstance(found, ImageUnsafe)
    assert (found.code, found.offset) == ("reference-outside", 100)
    assert "/etc/passwd" in found.detail


@pytest.mark.parametrize(("features", "expected"), [(1, None), (5, ImageFormat.RAW)])
def test_an_allowed_backing_file_is_a_fact_with_its_format(features: int, expected) -> None:
    facts = facts_of(qed(features=features, backing=b"base.img"), follow=True)
    assert facts.references == (Reference(ReferenceKind.BACKING, "base.img", expected),)


def test_a_name_without_its_feature_bit_is_no_reference() -> None:
    assert facts_of(qed(backing=b"/etc/passwd")).references == ()


@pytest.mark.parametrize(
    ("at", "length"), [(40, 4), (100, 0), (100, 1024), (C - 3, 4), (1 << 31, 4)]
)
def test_a_backing_name_outside_its_place_is_broken(at: int, length: int) -> None:
    content = qed(features=1, backing=b"name", backing_at=100, backing_length=length)
    content = content[:56] + at.to_bytes(4, "little") + content[60:]
    assert code_of(content) == "header-inconsistent"


def test_a_name_with_a_nul_is_broken_even_where_references_are_allowed() -> None:
    found = refused(parser.read_facts, qed(features=1, backing=b"a\0b"), follow=True)
    assert found.code == "header-inconsistent"


def test_a_file_that_was_not_closed_is_read_and_called_dirty() -> None:
    assert [problem.code for problem in facts_of(qed(features=2)).problems] == ["dirty"]


@pytest.mark.parametrize("bit", [3, 40, 63])
def test_an_unknown_incompatible_feature_is_unsupported(bit: int) -> None:
    found = refused(parser.read_facts, qed(features=1 << bit))
    assert isinstance(found, ImageUnsupported)
    assert (found.code, str(bit) in found.detail) == ("feature-unknown", True)


@pytest.mark.parametrize("shift", [12, 13, 16])
def test_cluster_sizes_are_powers_of_two(shift: int) -> None:
    assert facts_of(qed(cluster=1 << shift)).cluster_size == 1 << shift


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"cluster": 2048}, "cluster-size"),
        ({"table_clusters": 0}, "header-inconsistent"),
        ({"table_clusters": 3}, "header-inconsistent"),
        ({"table_clusters": 32}, "header-inconsistent"),
        ({"table_clusters": 1}, "table-size"),
        ({"header_clusters": 0}, "header-inconsistent"),
        ({"header_clusters": 9}, "offset-past-end"),
        ({"header_clusters": 2}, "metadata-overlap"),
        ({"size": 0}, "too-short"),
        ({"size": 1000}, "size-unaligned"),
        ({"size": 4096 * 1024 * 1024 + 512}, "size-too-large"),
        ({"size": 1 << 63}, "size-too-large"),
        ({"l1_offset": C + 512}, "offset-unaligned"),
        ({"l1_offset": 0}, "metadata-overlap"),
        ({"l1_offset": 7 * C}, "offset-past-end"),
        ({"l1": [3 * C + 8]}, "offset-unaligned"),
        ({"l1": [1]}, "offset-unaligned"),
        ({"l1": [7 * C]}, "offset-past-end"),
        ({"l1": [(1 << 64) - C]}, "offset-past-end"),
        ({"l1": [2 * C]}, "metadata-overlap"),
        ({"l1": [3 * C, 3 * C]}, "metadata-overlap"),
        ({"l1": [3 * C, 4 * C]}, "metadata-overlap"),
        ({"l2": [5 * C + 512]}, "offset-unaligned"),
        ({"l2": [2]}, "offset-unaligned"),
        ({"l2": [8 * C]}, "offset-past-end"),
        ({"l2": [1 << 63]}, "offset-past-end"),
        ({"l2": [4 * C]}, "metadata-overlap"),
        ({"l2": [5 * C, 1, 5 * C]}, "metadata-overlap"),
    ],
)
def test_what_qemu_would_misread_is_refused(changes: dict, code: str) -> None:
    assert code_of(qed(**changes)) == code


def test_a_cluster_size_between_powers_is_broken() -> None:
    content = bytearray(qed())
    content[4:8] = (C + 512).to_bytes(4, "little")
    assert code_of(bytes(content)) == "cluster-size"


def test_a_file_cut_anywhere_is_refused() -> None:
    content = qed(l2=[7 * C])
    assert facts_of(content)
    for kept in (0, 63, C, 3 * C, 5 * C - 1, 8 * C - 1):
        assert code_of(content[:kept]) in ("truncated", "offset-past-end")


def test_the_largest_disk_of_its_tables_is_read() -> None:
    assert facts_of(qed(size=4096 * 1024 * 1024)).virtual_size == 1 << 32


def test_a_file_of_more_clusters_than_can_be_marked_is_unsupported() -> None:
    with source_of(qed(), size=1 << 40) as source, pytest.raises(ImageUnsupported) as caught:
        parser.read_facts(source)
    assert caught.value.code == "table-too-large"


@pytest.mark.parametrize(
    ("changes", "offset"),
    [({"l1_offset": 0}, 40), ({"l1": [3 * C, 8 * C]}, C + 8), ({"l2": [8 * C]}, 3 * C)],
)
def test_a_refusal_says_at_which_byte(changes: dict, offset: int) -> None:
    assert refused(parser.read_facts, qed(**changes)).offset == offset
