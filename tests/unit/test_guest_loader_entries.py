"""Entries as the Boot Loader Specification has them: what they say, and which comes first."""

import itertools

import pytest

from diskwright.guest.bls import BlsEntry, menu_order, parse_entry, split_name
from diskwright.guest.versions import version_order

# Oldest first; the examples of the UAPI Group's Version Format Specification
VERSIONS = (
    "122.1",
    "123~rc1-1",
    "123",
    "123-a",
    "123-a.1",
    "123-1",
    "123-1.1",
    "123^post1",
    "123.a-1",
    "123.1-1",
    "123a-1",
    "124-1",
)


def test_versions_are_ordered_as_their_specification_says() -> None:
    for (i, one), (j, other) in itertools.product(enumerate(VERSIONS), repeat=2):
        assert (version_order(one) < version_order(other)) == (i < j), (one, other)


@pytest.mark.parametrize(
    ("one", "other"), [("", ""), ("1_2", "1+2"), ("é1", "1"), ("6.01", "6.1"), ("1", "001")]
)
def test_what_separates_parts_makes_no_difference(one: str, other: str) -> None:
    assert version_order(one) == version_order(other)


def test_numbers_count_as_numbers() -> None:
    assert version_order("6.1.0-56-amd64") > version_order("6.1.0-9-amd64")
    assert version_order("9" * 200_000) > version_order("1")


ENTRY = """# made by kernel-install
title      Debian GNU/Linux 12 (bookworm)
version\t6.1.0-9-amd64
machine-id 4098b3f648d74c13b1f04ccfba7798e8
sort-key   debian
options    root=UUID=u
options\tquiet   splash
linux      /4098b3f648d74c13b1f04ccfba7798e8/6.1.0-9-amd64/linux
initrd     /ucode.img
initrd     /4098b3f648d74c13b1f04ccfba7798e8/6.1.0-9-amd64/initrd.img-6.1.0-9-amd64
architecture x64
unheard-of thing
"""


def test_every_key_of_an_entry() -> None:
    entry = parse_entry(ENTRY, "debian-6.1.0-9+3-1.conf")
    assert entry.id == "debian-6.1.0-9.conf"
    assert (entry.tries_left, entry.tries_done) == (3, 1)
    assert (entry.title, entry.version) == ("Debian GNU/Linux 12 (bookworm)", "6.1.0-9-amd64")
    assert (entry.machine_id, entry.sort_key) == ("4098b3f648d74c13b1f04ccfba7798e8", "debian")
    assert entry.linux == "/4098b3f648d74c13b1f04ccfba7798e8/6.1.0-9-amd64/linux"
    assert [path.rpartition("/")[2] for path in entry.initrds] == [
        "ucode.img",
        "initrd.img-6.1.0-9-amd64",
    ]
    assert entry.options == "root=UUID=u quiet splash"
    assert (entry.architecture, entry.efi) == ("x64", "")
    assert entry.line == 8


def test_an_entry_of_a_program_and_one_that_says_nothing() -> None:
    assert parse_entry("title Memtest\nefi /memtest.efi\n", "m.conf").efi == "/memtest.efi"
    empty = parse_entry("", "x.conf")
    assert (empty.id, empty.linux, empty.title, empty.line) == ("x.conf", "", "", 1)
    assert parse_entry('title "A B"\nlinux \\k\\v\n', "x.conf").linux == "/k/v"
    assert parse_entry('title "A B"\n', "x.conf").title == "A B"


@pytest.mark.parametrize(
    ("name", "identity", "left", "done"),
    [
        ("a.conf", "a.conf", None, 0),
        ("a+3.conf", "a.conf", 3, 0),
        ("a+0-3.conf", "a.conf", 0, 3),
        ("a+3-1.efi", "a.efi", 3, 1),
        ("a+b.conf", "a+b.conf", None, 0),
        ("a+3-.conf", "a+3-.conf", None, 0),
        ("a+99999999999999999999.conf", "a+99999999999999999999.conf", None, 0),
    ],
)
def test_a_name_may_count_its_tries(name: str, identity: str, left: int | None, done: int) -> None:
    assert split_name(name) == (identity, left, done)


def order(*entries: BlsEntry) -> list[str]:
    return [entry.id for entry in menu_order(entries)]


def entry(
    name: str, *, key: str = "", version: str = "", machine: str = "", left: int | None = None
) -> BlsEntry:
    return BlsEntry(
        id=name, sort_key=key, version=version, machine_id=machine, tries_left=left, linux="/k"
    )


def test_those_with_a_sort_key_come_first_and_the_newest_of_them_first() -> None:
    found = order(
        entry("plain-9.conf"),
        entry("old.conf", key="debian", version="6.1.0-9"),
        entry("new.conf", key="debian", version="6.1.0-56"),
        entry("arch.conf", key="arch", version="1"),
        entry("plain-10.conf"),
    )
    assert found == ["arch.conf", "new.conf", "old.conf", "plain-10.conf", "plain-9.conf"]


def test_systems_of_one_name_are_grouped_by_machine() -> None:
    found = order(
        entry("b2", key="d", version="2", machine="b"),
        entry("a1", key="d", version="1", machine="a"),
        entry("b3", key="d", version="3", machine="b"),
    )
    assert found == ["a1", "b3", "b2"]


def test_what_has_no_tries_left_comes_last() -> None:
    found = order(
        entry("bad", key="d", version="3", left=0),
        entry("plain"),
        entry("good", key="d", version="2", left=3),
    )
    assert found == ["good", "plain", "bad"]


def test_long_names_cost_little_to_sort() -> None:
    """The suite's own limit on time is what would tell."""
    many = [entry("1-" * 120 + str(n), key="a", version="1." * 4000 + str(n)) for n in range(2000)]
    assert len(order(*many)) == 2000
