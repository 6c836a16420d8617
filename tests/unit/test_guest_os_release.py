"""The operating system is known by os-release, the architecture by its programs."""

import struct

import pytest

from diskwright.guest.elf import elf_machine
from diskwright.guest.os_release import (
    OsReleaseMissing,
    OsReleaseUnusable,
    parse_os_release,
    read_architecture,
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
