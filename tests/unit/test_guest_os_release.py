"""The operating system is known by os-release, the architecture by its programs."""

import struct
from pathlib import Path

import pytest

from diskwright.guest.elf import elf_libc, elf_machine
from diskwright.guest.os_release import (
    OsReleaseMissing,
    OsReleaseUnusable,
    parse_os_release,
    read_architecture,
    read_libc,
    read_os_release,
)
from diskwright.guest.reading import Unreadable
from support.fake_guest import Broken, Link, Sparse, tree_of

DEBIAN = """PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
NAME="Debian GNU/Linux"
VERSION_ID="12"
VERSION_CODENAME=bookworm
ID=debian
"""


def elf(machine: int, *, wide: bool = True, big: bool = False) -> bytes:
    ident = b"\x7fELF" + bytes([2 if wide else 1, 2 if big else 1, 1]) + bytes(9)
    return ident + struct.pack(">HH" if big else "<HH", 3, machine) + bytes(100)


def test_debian_is_read() -> None:
    found = read_os_release(tree_of({"/etc/os-release": DEBIAN}), "x86_64")
    assert (found.id, found.version_id, found.codename) == ("debian", "12", "bookworm")
    assert found.name == "Debian GNU/Linux 12 (bookworm)"
    assert found.architecture == "x86_64"


@pytest.mark.parametrize("target", ["/usr/lib/os-release", "../usr/lib/os-release"])
def test_a_link_is_followed_inside_the_guest(target: str) -> None:
    tree = tree_of({"/etc/os-release": Link(target), "/usr/lib/os-release": DEBIAN})
    assert read_os_release(tree, None).id == "debian"


def test_the_second_place_counts_where_the_first_has_nothing() -> None:
    assert read_os_release(tree_of({"/usr/lib/os-release": DEBIAN}), None).version_id == "12"


def test_neither_place_is_told_from_an_unusable_one() -> None:
    with pytest.raises(OsReleaseMissing):
        read_os_release(tree_of({"/etc/passwd": "root:x:0:0"}), None)
    tree = tree_of({"/etc/os-release": Link("../../etc/passwd"), "/etc/passwd": "root:x:0:0"})
    with pytest.raises(OsReleaseUnusable):
        read_os_release(tree, None)
    assert tree.escapes == ("/etc/os-release -> ../../etc/passwd",)


@pytest.mark.parametrize("content", [Broken(), Sparse(4 << 30)])
def test_a_file_that_can_not_be_read_is_not_missing(content: Broken | Sparse) -> None:
    with pytest.raises(Unreadable):
        read_os_release(tree_of({"/etc/os-release": content}), None)


def test_values_are_unquoted_as_a_shell_would() -> None:
    text = (
        'A=\'it is $5\'\nB="a \\"b\\" \\$c \\\\ \\`d\\`"\nC=plain\n# D=no\nlower=no\n  E = no\nF=\n'
    )
    expected = {"A": "it is $5", "B": 'a "b" $c \\ `d`', "C": "plain", "F": ""}
    assert parse_os_release(text) == expected


def test_like_is_a_list() -> None:
    rocky = 'ID="rocky"\nID_LIKE="rhel centos fedora"\n'
    found = read_os_release(tree_of({"/etc/os-release": rocky}), None)
    assert found.like == ("rhel", "centos", "fedora")


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (elf(62), "x86_64"),
        (elf(183), "aarch64"),
        (elf(3, wide=False), "i686"),
        (elf(22, big=True), "s390x"),
        (elf(21), "ppc64le"),
        (elf(62, wide=False), None),
        (elf(9999), None),
        (b"#!/bin/sh\n" + bytes(20), None),
        (b"\x7fELF", None),
        (b"", None),
    ],
)
def test_the_machine_is_in_the_elf_header(header: bytes, expected: str | None) -> None:
    assert elf_machine(header[:20]) == expected


def test_the_architecture_is_read_through_links_and_past_scripts() -> None:
    tree = tree_of(
        {
            "/sbin/init": "#!/bin/sh\n# a script, longer than a header\n",
            "/bin": Link("usr/bin"),
            "/usr/bin/sh": Link("dash"),
            "/usr/bin/dash": elf(183),
        }
    )
    assert read_architecture(tree) == "aarch64"
    assert read_architecture(tree_of({"/bin/sh": Broken()})) is None


def with_interpreter(name: bytes, *, wide: bool = True, big: bool = False) -> bytes:
    """An ELF file whose second program header names what loads it, at byte 400."""
    order, where = ">" if big else "<", 64 if wide else 52
    head = bytearray(elf(62 if wide and not big else 22 if wide else 3, wide=wide, big=big)[:64])
    head = head.ljust(where, b"\0")
    size = 56 if wide else 32
    struct.pack_into(f"{order}{'Q' if wide else 'I'}", head, 32 if wide else 28, where)
    struct.pack_into(f"{order}HH", head, 54 if wide else 42, size, 2)
    entries = bytearray(2 * size)
    struct.pack_into(f"{order}I", entries, 0, 6)
    struct.pack_into(f"{order}I", entries, size, 3)
    form, at = ("Q", 8) if wide else ("I", 4)
    struct.pack_into(f"{order}{form}", entries, size + at, 400)
    return (bytes(head[:where]) + bytes(entries)).ljust(400, b"\0") + name + bytes(100)


@pytest.mark.parametrize(
    ("name", "libc"),
    [
        (b"/lib64/ld-linux-x86-64.so.2\0", "glibc"),
        (b"/lib/ld-musl-x86_64.so.1\0", "musl"),
        (b"/lib/ld64.so.1\0", "glibc"),
        (b"/system/bin/linker64\0", None),
        (b"/lib/ld-musl", "musl"),
    ],
)
@pytest.mark.parametrize(("wide", "big"), [(True, False), (True, True), (False, False)])
def test_the_c_library_is_known_by_who_loads_programs(
    name: bytes, libc: str | None, wide: bool, big: bool
) -> None:
    assert elf_libc(with_interpreter(name, wide=wide, big=big)) == libc


def test_programs_that_name_no_library_are_passed_over() -> None:
    static, dynamic = elf(62), with_interpreter(b"/lib/ld-musl-x86_64.so.1\0")
    assert read_libc(tree_of({"/sbin/init": static, "/bin/sh": dynamic})) == "musl"
    assert read_libc(tree_of({"/sbin/init": static})) is None
    assert read_libc(tree_of({})) is None


def test_program_headers_that_lie_are_survived() -> None:
    good = bytearray(with_interpreter(b"/lib/ld-musl\0"))
    for at, form, value in (
        (32, "<Q", 1 << 63),
        (32, "<Q", 470),
        (54, "<H", 0),
        (54, "<H", 0xFFFF),
        (56, "<H", 0xFFFF),
        (64 + 56 + 8, "<Q", 1 << 62),
    ):
        lie = bytearray(good)
        struct.pack_into(form, lie, at, value)
        assert elf_libc(bytes(lie)) in (None, "musl", "glibc")
    for length in range(0, 200, 7):
        assert elf_libc(bytes(good[:length])) is None


def test_this_machine_s_own_shell_tells_its_library() -> None:
    """Whatever the tests run on has one of the two."""
    assert elf_libc(Path("/bin/sh").read_bytes()[:4096]) in ("glibc", "musl")
