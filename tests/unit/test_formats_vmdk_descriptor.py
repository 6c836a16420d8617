"""A VMDK descriptor names other files: refused alone, and told in order where they are allowed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from diskwright.errors import ImageRefused, ImageUnsafe
from diskwright.formats import vmdk
from diskwright.formats.source import ImageSource
from diskwright.formats.vmdk.descriptor import ExtentLine
from diskwright.model.image import ImageFacts, ImageFormat, Reference, ReferenceKind
from support.vmdk_maker import GRAIN, SECTOR, Stream, descriptor, sparse

FLAT = 'RW 2048 FLAT "a-flat.vmdk" 0'
DISK = 512 * GRAIN


@contextmanager
def opened(content: bytes, *, follow: bool = True) -> Iterator[ImageSource]:
    fd = os.memfd_create("disk")
    try:
        os.write(fd, content)
        yield ImageSource(fd, "/there/disk.vmdk", len(content), follow=follow)
    finally:
        os.close(fd)


def read(content: bytes, *, follow: bool = True) -> ImageFacts:
    with opened(content, follow=follow) as source:
        return vmdk.read_facts(source)


def refusal(content: bytes, *, follow: bool = True) -> ImageRefused:
    with pytest.raises(ImageRefused) as caught:
        read(content, follow=follow)
    return caught.value


def ending(content: bytes) -> tuple[str, str]:
    found = refusal(content)
    return found.kind, found.code


def extent(name: str, image_format: ImageFormat = ImageFormat.RAW) -> Reference:
    return Reference(ReferenceKind.EXTENT, name, image_format)


def test_extents_are_referred_to_in_their_order() -> None:
    text = descriptor(
        'RW 2048 SPARSE "b-s001.vmdk"',
        'RW 1024 FLAT "a b.vmdk" 16',
        'RW 512 VMFS "c-flat.vmdk"',
        create_type="twoGbMaxExtentSparse",
    )
    facts = read(text)
    assert facts.references == (
        extent("b-s001.vmdk", ImageFormat.VMDK),
        extent("a b.vmdk"),
        extent("c-flat.vmdk"),
    )
    assert facts.virtual_size == (2048 + 1024 + 512) * SECTOR
    assert (facts.subformat, facts.version) == ("twoGbMaxExtentSparse", 1)
    with opened(text) as source:
        lines = vmdk.extents_of(source)
    assert [line.name for line in lines] == [one.name for one in facts.references]
    assert [line.kind for line in lines] == ["SPARSE", "FLAT", "VMFS"]
    assert [line.sectors for line in lines] == [2048, 1024, 512]
    assert [line.offset_sectors for line in lines] == [None, 16, None]
    assert [line.end_bytes for line in lines] == [2048 * 512, 1040 * 512, 512 * 512]
    assert [text[line.at :].split()[3] for line in lines] == [
        b'"b-s001.vmdk"',
        b'"a',
        b'"c-flat.vmdk"',
    ]


def test_without_permission_it_says_which_files_it_names() -> None:
    found = refusal(descriptor(FLAT), follow=False)
    assert isinstance(found, ImageUnsafe)
    assert (found.code, "'a-flat.vmdk'" in found.detail) == ("reference-outside", True)
    text = descriptor(*(f'RW 8 FLAT "f{n}.vmdk" 0' for n in range(6)))
    found = refusal(text, follow=False)
    assert "'f0.vmdk', 'f1.vmdk', 'f2.vmdk', 'f3.vmdk' and 2 more" in found.detail
    assert "7" in found.detail


@pytest.mark.parametrize(
    "name",
    [
        "/etc/passwd",
        "../x",
        "a/b",
        "..",
        ".",
        "json:{}",
        "nbd:x",
        "a\\b",
        "/dev/vda",
        "a\tb",
        "\x1b",
    ],
)
@pytest.mark.parametrize("follow", [True, False])
def test_a_name_that_is_no_plain_file_name_is_unsafe_with_permission_too(
    name: str, follow: bool
) -> None:
    text = descriptor(f'RW 8 FLAT "{name}" 0', create_type="monolithicFlat")
    found = refusal(text, follow=follow)
    assert (found.kind, found.code) == ("unsafe", "reference-outside")
    assert found.detail.isprintable()


def test_a_name_that_is_no_utf_8_is_not_followed() -> None:
    text = descriptor(FLAT, create_type="monolithicFlat").replace(b"a-flat", b"\xe4-flat")
    assert ending(text) == ("unsafe", "reference-outside")


def delta(*, hint: str, parent: str = "deadbeef", places: dict[int, int] | None = None) -> bytes:
    text = descriptor(f'RW {DISK} SPARSE "d.vmdk"', parent=parent, more=hint)
    return sparse(DISK, places or {}, text=text)


def test_a_parent_is_referred_to() -> None:
    for name in ("base.vmdk", "below/base.vmdk"):
        facts = read(delta(hint=f'parentFileNameHint="{name}"'))
        assert facts.references == (Reference(ReferenceKind.PARENT, name, ImageFormat.VMDK),)
        assert facts.virtual_size == DISK * SECTOR


@pytest.mark.parametrize("name", ["/base.vmdk", "../base.vmdk", "a/../b", "a//b", "nbd:x", ""])
def test_a_parent_elsewhere_is_unsafe_with_permission_too(name: str) -> None:
    found = ending(delta(hint=f'parentFileNameHint="{name}"'))
    assert found == ("unsafe", "reference-outside")


@pytest.mark.parametrize(
    "hint",
    [
        '# parentFileNameHint="base.vmdk"',
        'xparentFileNameHint="base.vmdk"',
        'parentFileNameHint = "base.vmdk"',
        'ddb.comment = "parentFileNameHint=\'b"',
        "#" * 10240 + '\nparentFileNameHint="base.vmdk"',
    ],
)
def test_a_parent_that_only_qemu_finds_is_refused(hint: str) -> None:
    text = descriptor(FLAT, create_type="monolithicFlat", more=hint)
    assert refusal(text, follow=False).code == "reference-outside"
    assert isinstance(refusal(text), ImageRefused)


def test_a_parent_has_a_name_and_an_id_or_neither() -> None:
    inconsistent = ("broken", "header-inconsistent")
    assert ending(delta(hint="")) == inconsistent
    hint = 'parentFileNameHint="base.vmdk"'
    assert ending(delta(hint=hint, parent="ffffffff")) == inconsistent


def test_a_parent_s_name_stands_where_qemu_looks_for_it() -> None:
    hint = 'parentFileNameHint="base.vmdk"'
    for pad, taken in ((9000, True), (10240, False)):
        text = descriptor(
            FLAT, create_type="monolithicFlat", parent="deadbeef", more="#" * pad + "\n" + hint
        )
        if taken:
            assert read(text).references[-1].name == "base.vmdk"
        else:
            assert ending(text) == ("broken", "header-inconsistent")


def flat(*lines: str, create_type: str = "monolithicFlat", more: str = "") -> bytes:
    return descriptor(*lines, create_type=create_type, more=more)


@pytest.mark.parametrize(
    ("text", "end"),
    [
        (flat(), ("broken", "header-inconsistent")),
        (flat('RO 8 FLAT "a" 0'), ("broken", "header-inconsistent")),
        (flat('rw 8 FLAT "a" 0'), ("broken", "header-inconsistent")),
        (flat('RW 8 FLAP "a" 0'), ("broken", "header-inconsistent")),
        (flat('RW 0 FLAT "a" 0'), ("broken", "header-inconsistent")),
        (flat('RW 8 FLAT "a"'), ("broken", "header-inconsistent")),
        (flat("RW 8 FLAT"), ("broken", "header-inconsistent")),
        (flat('RW 8 ZERO "a"'), ("broken", "header-inconsistent")),
        (flat('RW 8 FLAT "a" 0 more'), ("broken", "header-inconsistent")),
        (flat('RW -8 FLAT "a" 0'), ("broken", "header-inconsistent")),
        (flat('RW 8 SPARSE "a" 0'), ("broken", "header-inconsistent")),
        (flat('RW 8 VMFS "a" 0'), ("broken", "header-inconsistent")),
        (flat(f'RW {(1 << 54) + 1} FLAT "a" 0'), ("broken", "size-too-large")),
        (flat(f'RW 8 FLAT "a" {(1 << 54) + 1}'), ("broken", "size-too-large")),
        (flat(*[f'RW {1 << 54} FLAT "a" 0'] * 2), ("broken", "size-too-large")),
        (flat(FLAT, "RW", "8", 'FLAT "a" 0'), ("broken", "header-inconsistent")),
        (flat(FLAT, "5"), ("broken", "header-inconsistent")),
        (flat(FLAT, "words of nobody"), ("broken", "header-inconsistent")),
        (flat(FLAT, "", FLAT), ("unsupported", "subformat-unknown")),
        (flat(FLAT, " \t", FLAT), ("unsupported", "subformat-unknown")),
        (flat('RDONLY 8 FLAT "a" 0'), ("unsupported", "subformat-unknown")),
        (flat('NOACCESS 8 FLAT "a" 0'), ("unsupported", "subformat-unknown")),
        (flat(FLAT, "RW 8 ZERO"), ("unsupported", "subformat-unknown")),
        (flat('RW 8 VMFSSPARSE "a"'), ("unsupported", "subformat-unknown")),
        (flat('RW 8 SESPARSE "a"'), ("unsupported", "subformat-unknown")),
        (flat('RW 8 VMFSRDM "a"'), ("unsupported", "subformat-unknown")),
        (flat(FLAT, create_type="custom"), ("unsupported", "subformat-unknown")),
        (flat(FLAT, create_type="fullDevice"), ("unsupported", "subformat-unknown")),
        (flat(FLAT, create_type='a"b'), ("broken", "header-inconsistent")),
        (flat(FLAT, create_type=""), ("broken", "header-inconsistent")),
        (flat(FLAT, more="CID=1"), ("broken", "header-inconsistent")),
        (flat(FLAT, more="\x07"), ("broken", "header-inconsistent")),
        (flat(FLAT, more="a = \rb"), ("broken", "header-inconsistent")),
        (flat(FLAT, more='encryption.keySafe = "x"'), ("unsupported", "encryption")),
        (flat(FLAT).replace(b"version=1", b"version=9"), ("unsupported", "version-unknown")),
        (flat(FLAT).replace(b"CID=1234", b"CID=xyz"), ("broken", "header-inconsistent")),
        (flat(FLAT).replace(b"createType=", b"createType ="), ("broken", "header-inconsistent")),
        (flat(FLAT).replace(b"parentCID=", b"#parentCID="), ("broken", "header-inconsistent")),
        (flat(FLAT).replace(b"CID", b"# createType\nCID", 1), ("broken", "header-inconsistent")),
    ],
)
def test_a_descriptor_is_understood_to_its_last_line_or_refused(
    text: bytes, end: tuple[str, str]
) -> None:
    assert ending(text) == end


@pytest.mark.parametrize(
    "text",
    [
        flat(FLAT),
        flat('RW\t2048  FLAT \t "a-flat.vmdk"  0  '),
        flat(FLAT).replace(b"\n", b"\r\n"),
        flat(FLAT) + bytes(100),
        flat(FLAT).replace(b"# Disk", b"\xef\xbb\xbf# Disk"),
        flat(FLAT, more='encoding="windows-1252"\nddb.comment = "\u00e4"'),
        flat(FLAT, more='changeTrackPath="a-ctk.vmdk"'),
    ],
)
def test_what_writers_differ_in_is_read(text: bytes) -> None:
    assert read(text).references == (extent("a-flat.vmdk"),)


def test_a_descriptor_is_bounded() -> None:
    many = flat(*['RW 8 FLAT "a" 0'] * 8193)
    assert ending(many) == ("broken", "table-too-large")
    assert ending(flat(FLAT) + b"#" * (1 << 20)) == ("broken", "table-too-large")
    assert ending(flat(FLAT) + b"#\n" * 16384) == ("broken", "table-too-large")


def test_a_sparse_file_that_describes_another_disk_is_refused() -> None:
    for text, end in (
        (descriptor(f'RW {DISK} SPARSE "x"', create_type="custom"), "subformat-unknown"),
        (descriptor(f'RW {DISK - 1} SPARSE "x"'), "header-inconsistent"),
        (descriptor(f'RW {DISK} FLAT "x" 0'), "header-inconsistent"),
        (descriptor(f'RW {DISK} SPARSE "x"', 'RW 8 SPARSE "y"'), "header-inconsistent"),
        (descriptor(), "header-inconsistent"),
    ):
        assert refusal(sparse(DISK, {}, text=text)).code == end


# --- the files that a descriptor names ------------------------------------------------------------


def line(kind: str, sectors: int, offset_sectors: int | None = None) -> ExtentLine:
    return ExtentLine("RW", sectors, kind, "a.vmdk", offset_sectors, 0)


def extent_facts(content: bytes, told: ExtentLine) -> ImageFacts:
    with opened(content) as source:
        return vmdk.read_extent_facts(source, told)


def extent_end(content: bytes, told: ExtentLine) -> str:
    with pytest.raises(ImageRefused) as caught:
        extent_facts(content, told)
    return caught.value.code


def test_a_flat_extent_is_long_enough() -> None:
    for kind, told in (("FLAT", line("FLAT", 6, 2)), ("VMFS", line("VMFS", 8))):
        facts = extent_facts(bytes(4096), told)
        assert (facts.format, facts.virtual_size) == ("raw", told.sectors * 512), kind
        assert extent_end(bytes(4095), told) == "offset-past-end"


@pytest.mark.parametrize("text", [b"", None])
def test_a_sparse_extent_is_as_large_as_its_line_says(text: bytes | None) -> None:
    content = sparse(DISK, {0: 128}, text=text)
    facts = extent_facts(content, line("SPARSE", DISK))
    assert (facts.format, facts.virtual_size) == ("vmdk", DISK * SECTOR)
    assert facts.cluster_size == 65536
    assert extent_end(content, line("SPARSE", DISK - 1)) == "header-inconsistent"


def test_a_sparse_extent_is_checked_whole() -> None:
    told = line("SPARSE", DISK)
    twice = sparse(DISK, {0: 128, 1: 128}, text=b"")
    assert extent_end(twice, told) == "metadata-overlap"
    assert extent_end(bytes(4096), told) == "header-inconsistent"
    assert extent_end(b"COWD" + bytes(4096), told) == "subformat-unknown"
    stream = Stream(DISK, {0: b"A" * 65536}).build()
    assert extent_end(stream, told) == "subformat-unknown"
