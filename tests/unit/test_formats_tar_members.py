"""A package's members lie in the archive, are regular files, and have plain names."""

from __future__ import annotations

import pytest

from diskwright.errors import ImageUnsafe, ImageUnsupported
from diskwright.formats import limits
from diskwright.formats.package.tar_members import read_members
from support.looking import read, refused, source_of
from support.packages import archive, header, padded

END = bytes(1024)


def members_of(content: bytes) -> list[tuple[str, int, int]]:
    return [(each.name, each.offset, each.size) for each in read(read_members, content)]


def pax(kind: bytes = b"x", **records: bytes) -> bytes:
    data = b""
    for key, value in records.items():
        body = b" %s=%s\n" % (key.replace("_", ".").encode(), value)
        length = len(body) + 1
        while len(b"%d" % length) + len(body) != length:
            length += 1
        data += b"%d" % length + body
    return header(b"ext", len(data), kind) + padded(data)


def test_members_are_in_the_order_of_the_archive() -> None:
    found = members_of(archive(("b.ovf", b"x" * 600), ("a.vmdk", b""), ("c", b"1")))
    assert found == [("b.ovf", 512, 600), ("a.vmdk", 2048, 0), ("c", 2560, 1)]


def test_offsets_are_of_the_package_within_its_file() -> None:
    content = archive(("a", b"one"))
    with source_of(bytes(100) + content) as outer:
        inner = type(outer)(outer.fd, outer.path, len(content), base=100)
        (member,) = read_members(inner)
        assert inner.read(member.offset, member.size) == b"one"


def test_an_archive_may_end_without_its_blocks_of_zeros() -> None:
    assert members_of(header(b"a", 3) + padded(b"one")) == [("a", 512, 3)]


def test_what_follows_a_block_of_zeros_is_not_read() -> None:
    assert members_of(header(b"a") + bytes(512) + header(b"b")) == [("a", 512, 0)]


def test_extended_headers_give_a_name_and_a_size() -> None:
    content = pax(path="ü.vmdk".encode(), size=b"5", comment=b"?") + header(b"short", 3)
    assert members_of(content + padded(b"12345") + END) == [("ü.vmdk", len(content), 5)]
    long = header(b"././@LongLink", 6, b"L") + padded(b"a.ovf\0") + header(b"short") + END
    assert members_of(long) == [("a.ovf", 1536, 0)]


def test_a_size_beyond_8_gib_is_in_base_256() -> None:
    size = (9 << 30) + 7
    field = b"\x80" + size.to_bytes(11)
    content = header(b"big", size_field=field)
    with source_of(content, size=512 + size) as source:
        assert [member.size for member in read_members(source)] == [size]
    assert refused(read_members, content).code == "offset-past-end"


def test_an_older_signature_has_no_prefix() -> None:
    assert members_of(header(b"a", magic=b"ustar  \0", prefix=b"00001") + END)[0][0] == "a"


@pytest.mark.parametrize(
    "name", [b"../a", b"/etc/passwd", b"a/b", b"a\\b", b"..", b".", b"", b"a\nb", b"\x1b[2J"]
)
def test_a_name_that_is_not_plain_is_unsafe(name: bytes) -> None:
    found = refused(read_members, header(name) + END)
    assert isinstance(found, ImageUnsafe)
    assert found.code == "member-name"
    assert found.detail.isprintable()


def test_a_name_that_an_extension_or_a_prefix_gives_is_judged_too() -> None:
    for content in (pax(path=b"../a") + header(b"a"), header(b"a", prefix=b"..")):
        assert refused(read_members, content + END).code == "member-name"


def test_two_members_of_one_name_are_unsafe() -> None:
    found = refused(read_members, archive(("a.ovf", b"1"), ("a.ovf", b"2")))
    assert (found.kind, found.code, found.offset) == ("unsafe", "member-name", 1024)


@pytest.mark.parametrize("kind", [b"1", b"2"])
def test_a_link_is_unsafe(kind: bytes) -> None:
    found = refused(read_members, header(b"a", kind=kind) + END)
    assert (found.kind, found.code) == ("unsafe", "member-kind")


@pytest.mark.parametrize("kind", [b"3", b"4", b"5", b"6", b"S", b"V", b"\xff"])
def test_what_is_no_regular_file_is_unsupported(kind: bytes) -> None:
    found = refused(read_members, header(b"a", kind=kind) + END)
    assert (found.kind, found.code) == ("unsupported", "member-kind")


@pytest.mark.parametrize(
    "extension",
    [
        pax(GNU_sparse_major=b"1"),
        pax(kind=b"g", size=b"5"),
        pax(kind=b"g", path=b"a"),
    ],
)
def test_sparse_members_and_sizes_for_all_are_unsupported(extension: bytes) -> None:
    found = refused(read_members, extension + header(b"a") + END)
    assert isinstance(found, ImageUnsupported)
    assert found.code == "member-kind"


def test_a_comment_for_all_members_is_ignored() -> None:
    assert len(members_of(pax(kind=b"g", comment=b"made by hand") + header(b"a") + END)) == 1


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (header(b"a")[:511], "truncated"),
        (header(b"a").replace(b"ustar", b"uster"), "header-inconsistent"),
        (header(b"a").replace(b"644", b"666"), "checksum"),
        (header(b"a", 600) + bytes(512), "offset-past-end"),
        (header(b"a", size_field=b"-0000000001\0"), "header-inconsistent"),
        (header(b"a", size_field=b"\xff" * 12), "header-inconsistent"),
        (header(b"a", size_field=b"\x80" + b"\xff" * 11), "offset-past-end"),
        (header(b"a", size_field=b" " * 12), "header-inconsistent"),
        (header(b"x", 1 << 20, b"x") + bytes(1 << 20), "table-too-large"),
        (header(b"x", 600, b"x"), "offset-past-end"),
        (header(b"x", 8, b"x") + padded(b"9 path=a"), "header-inconsistent"),
        (header(b"x", 9, b"x") + padded(b"4 path=a\n"), "header-inconsistent"),
        (header(b"x", 9, b"x") + padded(b"x path=a\n"), "header-inconsistent"),
        (pax(size=b"-5") + header(b"a"), "header-inconsistent"),
        (pax(size=b"") + header(b"a"), "header-inconsistent"),
        (pax(path=b"a") + pax(path=b"b") + header(b"a"), "header-inconsistent"),
        (pax(size=b"1") + pax(size=b"2") + header(b"a"), "header-inconsistent"),
    ],
)
def test_an_archive_that_does_not_hold_is_broken(content: bytes, code: str) -> None:
    found = refused(read_members, content)
    assert (found.kind, found.code) == ("broken", code)


def test_more_members_than_any_package_has_are_unsupported() -> None:
    most = b"".join(header(b"%d" % index) for index in range(limits.OVA_MEMBERS - 1))
    assert len(members_of(most + END)) == limits.OVA_MEMBERS - 1
    found = refused(read_members, most + header(b"x") + header(b"y"))
    assert (found.kind, found.code) == ("unsupported", "table-too-large")


def test_an_extended_header_is_of_the_next_member_alone() -> None:
    content = pax(path=b"long.ovf", size=b"0") + header(b"first", 3) + header(b"second", 2)
    found = members_of(content + padded(b"ab") + END)
    assert [(name, size) for name, _, size in found] == [("long.ovf", 0), ("second", 2)]
