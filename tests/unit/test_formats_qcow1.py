"""A qcow file of version 1 is read whole or refused by name."""

from __future__ import annotations

import pytest

from diskwright.errors import ImageUnsafe
from diskwright.formats import qcow1 as parser
from diskwright.model.image import Reference, ReferenceKind
from support.looking import read, refused
from support.small_images import packed, qcow1

C = 512


def facts_of(content: bytes, **options):
    return read(parser.read_facts, content, **options)


def code_of(content: bytes) -> str:
    return refused(parser.read_facts, content).code


def test_facts_are_those_of_the_header() -> None:
    facts = facts_of(qcow1())
    assert (facts.format, facts.version, facts.virtual_size) == ("qcow", 1, 32768)
    assert (facts.cluster_size, facts.file_size, facts.compressed) == (C, 6 * C, False)


@pytest.mark.parametrize("bits", range(9, 17))
def test_every_cluster_size_is_read(bits: int) -> None:
    content = qcow1(cluster_bits=bits, size=64 << bits)
    assert facts_of(content).cluster_size == 1 << bits


def test_a_backing_file_is_a_reference_before_anything_else_is_judged() -> None:
    found = refused(parser.read_facts, qcow1(backing=b"/etc/passwd", crypt=1, size=3))
    assert isinstance(found, ImageUnsafe)
    assert (found.code, found.offset) == ("reference-outside", 200)


def test_an_allowed_backing_file_is_a_fact() -> None:
    facts = facts_of(qcow1(backing=b"base.img"), follow=True)
    assert facts.references == (Reference(ReferenceKind.BACKING, "base.img"),)


@pytest.mark.parametrize(
    ("at", "length", "code"),
    [
        (40, 4, "header-inconsistent"),
        (200, 0, "header-inconsistent"),
        (200, 1024, "header-inconsistent"),
        (6 * C - 2, 4, "offset-past-end"),
        (1 << 63, 4, "offset-past-end"),
        (54, 1, "metadata-overlap"),
    ],
)
def test_a_backing_name_outside_its_place_is_broken(at: int, length: int, code: str) -> None:
    content = qcow1(backing=b"name", backing_length=length)
    content = content[:8] + at.to_bytes(8) + content[16:]
    found = refused(parser.read_facts, content, follow=True)
    assert found.code == code


def test_a_name_with_a_nul_is_broken_even_where_references_are_allowed() -> None:
    found = refused(parser.read_facts, qcow1(backing=b"a\0b"), follow=True)
    assert found.code == "header-inconsistent"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"version": 4}, "version-unknown"),
        ({"l2_bits": 5}, "header-inconsistent"),
        ({"l2_bits": 14}, "header-inconsistent"),
        ({"crypt": 1}, "encryption"),
        ({"crypt": 2}, "encryption-unknown"),
        ({"size": 0}, "too-short"),
        ({"size": 1000}, "size-unaligned"),
        ({"size": 1 << 63}, "size-too-large"),
        ({"size": 1 << 50}, "size-too-large"),
        ({"l1_offset": 40}, "metadata-overlap"),
        ({"l1_offset": 6 * C - 7}, "offset-past-end"),
        ({"l1_offset": (1 << 64) - 8}, "offset-past-end"),
        ({"l1": [C + 8]}, "offset-unaligned"),
        ({"l1": [6 * C]}, "offset-past-end"),
        ({"l1": [1 << 63]}, "offset-past-end"),
        ({"size": 65536, "l1": [C, C]}, "metadata-overlap"),
        ({"l2": [2 * C + 256]}, "offset-unaligned"),
        ({"l2": [6 * C]}, "offset-past-end"),
        ({"l2": [C]}, "metadata-overlap"),
        ({"l2": [2 * C, 2 * C]}, "metadata-overlap"),
        ({"l2": [packed(9, 2 * C, 0)]}, "compressed-data"),
        ({"l2": [packed(9, 5 * C + 400, 113)]}, "offset-past-end"),
        ({"l2": [packed(9, 10, 9)]}, "metadata-overlap"),
        ({"l2": [packed(9, C - 10, 30)]}, "metadata-overlap"),
        ({"l2": [2 * C, packed(9, 2 * C, 9)]}, "metadata-overlap"),
        ({"l2": [3 * C, packed(9, 3 * C - 5, 6)]}, "metadata-overlap"),
    ],
)
def test_what_qemu_would_misread_is_refused(changes: dict, code: str) -> None:
    assert code_of(qcow1(**changes)) == code


@pytest.mark.parametrize("bits", [0, 8, 17, 255])
def test_another_cluster_size_is_broken(bits: int) -> None:
    content = bytearray(qcow1())
    content[32] = bits
    assert code_of(bytes(content)) == "cluster-size"


def test_compressed_clusters_may_share_a_cluster_of_the_file() -> None:
    entries = [packed(9, 2 * C, 100), packed(9, 2 * C + 100, 300), packed(9, 2 * C + 400, 200)]
    assert facts_of(qcow1(l2=[*entries, 4 * C])).compressed
    assert code_of(qcow1(l2=[*entries, 3 * C])) == "metadata-overlap"


def test_a_compressed_cluster_may_end_where_the_file_does() -> None:
    assert facts_of(qcow1(l2=[packed(9, 5 * C + 400, 112)])).compressed


def test_a_file_cut_anywhere_is_refused() -> None:
    content = qcow1(l2=[5 * C])
    assert facts_of(content)
    for kept in (0, 47, 55, C, 2 * C - 1, 6 * C - 1):
        assert code_of(content[:kept]) in ("truncated", "offset-past-end")


def test_a_compressed_cluster_may_end_where_another_cluster_begins() -> None:
    assert facts_of(qcow1(l2=[packed(9, 2 * C + 12, 500), 3 * C])).compressed
