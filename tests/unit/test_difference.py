"""What differs between two images: by facts, packages and files, and what is not compared."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diskwright._values import replace
from diskwright.guest.answer import CONFIGURATION, FILES, PACKAGES, nothing_examined
from diskwright.model.difference import Change, Differences, FactChange, NotCompared
from diskwright.model.examined import (
    EntryKind,
    Examined,
    FileEntry,
    FileListing,
    InstalledPackage,
    PackageKind,
    Software,
    Unlisted,
)
from diskwright.model.guest import FileSystem, GuestFacts, OsRelease
from diskwright.model.image import ImageFacts, ImageFormat
from diskwright.ops.difference import NO_DATABASE, Seen, compare
from diskwright.ops.differing_facts import differing_facts
from diskwright.report.difference import difference_text, difference_value

IMAGE = ImageFacts(ImageFormat.QCOW2, 1 << 30, 1 << 20, 1 << 30)
STATUS = ("/var/lib/dpkg/status",)


def deb(name: str, version: str, architecture: str = "amd64") -> InstalledPackage:
    return InstalledPackage(PackageKind.DEB, name, version, architecture)


def rpm(name: str, version: str, epoch: int | None = None) -> InstalledPackage:
    return InstalledPackage(PackageKind.RPM, name, version, "x86_64", epoch)


def file(path: str, content: str = "aa", *, mode: int = 0o644, size: int = 2, note: str = ""):
    return FileEntry(path, EntryKind.FILE, size, mode, "" if note else content, note)


def link(path: str, target: str) -> FileEntry:
    return FileEntry(path, EntryKind.LINK, len(target), 0o777, target)


def seen(
    *packages: InstalledPackage,
    files: tuple[FileEntry, ...] = (),
    below: str = "/etc",
    unread: tuple[Unlisted, ...] = (),
    end: str | None = None,
    guest: GuestFacts | None = None,
    software: Software | None = None,
) -> Seen:
    listing = FileListing(below, files, unread, end)
    listed = software or Software(packages, STATUS)
    return Seen("x", "", IMAGE, Examined(guest or GuestFacts(), listed, listing))


def files_of(*entries: FileEntry, **kept) -> Seen:
    return seen(files=entries, **kept)


def told(found: Differences) -> list[str]:
    """The lines of the text without those that are always there."""
    lines = difference_text(found, "one", "two").splitlines()
    assert [line.split() for line in lines[:2]] == [["a", "one"], ["b", "two"]]
    assert lines[-1].startswith("differ")
    return [" ".join(line.split()) for line in lines[2:-1]]


def facts(a: object, b: object) -> list[tuple[str, str]]:
    return [(one.change.value, one.path) for one in differing_facts(a, b, "x")]


def test_fields_by_their_paths() -> None:
    assert list(differing_facts({"a": 1, "b": None}, {"a": 2, "b": {"c": 1}}, "x")) == [
        FactChange(Change.CHANGED, "x.a", 1, 2),
        FactChange(Change.CHANGED, "x.b", None, {"c": 1}),
    ]
    assert facts({"a": {"b": True}}, {"a": {"b": False}}) == [("changed", "x.a.b")]
    assert facts({"a": 1}, {"b": 1}) == [("removed", "x.a"), ("added", "x.b")]


def test_members_of_a_list_are_found_again_by_their_names() -> None:
    one, two, new = ({"name": n, "size": 1} for n in ("one", "two", "new"))
    assert facts([one, two], [new, two, one]) == [("added", "x.0")]
    assert facts([one, two], [two]) == [("removed", "x.0")]
    assert facts([one, two], [two, {**one, "size": 2}]) == [("changed", "x.0.size")]


def test_members_without_a_name_are_compared_by_their_place() -> None:
    assert facts([{"v": 1}, {"v": 1}], [{"v": 2}]) == [("changed", "x.0.v"), ("removed", "x.1")]


def test_words_of_a_list() -> None:
    assert list(differing_facts(["a", "b", "b"], ["b", "c"], "x")) == [
        FactChange(Change.REMOVED, "x", before="a"),
        FactChange(Change.REMOVED, "x", before="b"),
        FactChange(Change.ADDED, "x", after="c"),
    ]
    assert facts(["a", "b"], ["b", "a"]) == [("changed", "x")]
    assert facts([1, {}], [2, {}]) == [("changed", "x")]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 9) | st.text("abc", max_size=2),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["name", "path", "v", "w"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(VALUES, VALUES)
def test_nothing_is_told_of_equal_values_and_something_of_others(a, b) -> None:
    assert facts(a, copy.deepcopy(a)) == []
    # True == 1 in Python, and not in JSON
    if repr(a) != repr(b) and a != b:
        assert facts(a, b)


def test_packages() -> None:
    before = seen(deb("bash", "1"), deb("gone", "1"), deb("libc6", "2", "amd64"))
    after = seen(deb("bash", "2"), deb("libc6", "2", "amd64"), deb("libc6", "2", "i386"))
    assert told(compare(before, after)) == [
        "packages ~ bash 1 -> 2 (deb, amd64)",
        "- gone 1 (deb, amd64)",
        "+ libc6 2 (deb, i386)",
    ]
    assert told(compare(before, before)) == []


def test_a_package_in_several_versions() -> None:
    before = seen(rpm("kernel", "5-1"), rpm("kernel", "5-2"))
    after = seen(rpm("kernel", "5-2"), rpm("kernel", "5-3"), rpm("kernel", "5-4", 1))
    assert told(compare(before, after)) == [
        "packages - kernel 5-1 (rpm, x86_64)",
        "+ kernel 1:5-4 (rpm, x86_64)",
        "+ kernel 5-3 (rpm, x86_64)",
    ]


def test_a_list_of_packages_that_was_not_read_is_no_empty_one() -> None:
    found = compare(seen(deb("a", "1")), seen(software=Software((), (), ("no /var",))))
    assert found.packages is None
    assert found.not_compared == (NotCompared("b", "packages", "no /var"),)
    assert "packages unknown" in difference_text(found, "a", "b")


def test_without_a_package_database_there_is_nothing_to_compare() -> None:
    none = seen(software=Software())
    lacking = [NotCompared(image, "packages", NO_DATABASE) for image in "ab"]
    for a, b, told_of in (
        (seen(deb("a", "1")), none, lacking[1:]),
        (none, seen(deb("a", "1")), lacking[:1]),
        (none, none, lacking),
    ):
        found = compare(a, b)
        assert (found.packages, list(found.not_compared)) == (None, told_of)
        assert difference_value(found)["packages"] is None
        assert "packages unknown" in difference_text(found, "a", "b")


def test_a_database_without_packages_is_compared() -> None:
    assert told(compare(seen(), seen(deb("a", "1")))) == ["packages + a 1 (deb, amd64)"]


def test_a_database_that_was_read_in_part_is_compared_and_told() -> None:
    part = Software((), STATUS, ("1 entry without a name",))
    found = compare(seen(software=part), seen(deb("a", "1")))
    assert [change.name for change in found.packages or ()] == ["a"]
    assert found.not_compared == (NotCompared("a", "packages", "1 entry without a name"),)


def test_files_by_content_mode_and_kind() -> None:
    before = files_of(
        file("/etc/a"),
        file("/etc/b", size=2000),
        file("/etc/c"),
        file("/etc/d"),
        link("/etc/e", "x"),
        file("/etc/f"),
    )
    after = files_of(
        file("/etc/a", "bb"),
        file("/etc/b", "bb", size=3000),
        file("/etc/c", mode=0o600),
        link("/etc/d", "a\n"),
        link("/etc/e", "y"),
        file("/etc/g"),
    )
    assert told(compare(before, after)) == [
        "/etc ~ /etc/a 2 B, other content",
        "~ /etc/b 2 KiB -> 2.9 KiB",
        "~ /etc/c mode 644 -> 600",
        "~ /etc/d 2 B -> link to a\\n",
        "~ /etc/e link to x -> link to y",
        "- /etc/f 2 B",
        "+ /etc/g 2 B",
    ]


def test_of_every_file_what_is_below_etc_stays_apart() -> None:
    before = files_of(file("/etc/a"), file("/etcetera"), below="/")
    found = compare(before, files_of(file("/usr/bin/x"), below="/"))
    assert [change.path for change in found.configuration] == ["/etc/a"]
    assert [change.path for change in found.files or ()] == ["/etcetera", "/usr/bin/x"]
    assert compare(files_of(), files_of()).files is None


def test_what_is_in_a_folder_that_was_not_read_is_not_called_gone() -> None:
    before = files_of(file("/etc/a/b"), file("/etc/ab"), file("/etc/c"))
    after = files_of(unread=(Unlisted("/etc/a", "damaged"), Unlisted("/etc/c", "damaged")))
    for found in (compare(before, after), compare(after, before)):
        assert [change.path for change in found.configuration] == ["/etc/ab"]
        assert [one.what for one in found.not_compared] == ["/etc/a", "/etc/c"]


def test_behind_the_end_of_either_list_nothing_is_compared() -> None:
    before = files_of(file("/etc/a"), file("/etc/b/c"), file("/etc/z"))
    after = files_of(unread=(Unlisted("/etc/b", "too many"),), end="/etc/b")
    assert [change.path for change in compare(before, after).configuration] == ["/etc/a"]
    assert [change.path for change in compare(after, before).configuration] == ["/etc/a"]


def test_the_order_is_that_of_a_list() -> None:
    """`/etc/a/z` comes before `/etc/a-b`, though `-` comes before `/`."""
    whole = files_of(file("/etc/a/z"), file("/etc/a-b"))
    cut = files_of(file("/etc/a/z"), end="/etc/a-b")
    assert compare(whole, cut).configuration == ()


def test_a_file_that_was_not_read_differs_by_its_size_alone() -> None:
    before = files_of(file("/etc/a", note="damaged"), file("/etc/b", note="damaged", size=9))
    found = compare(before, files_of(file("/etc/a"), file("/etc/b")))
    assert [change.path for change in found.configuration] == ["/etc/b"]
    assert found.not_compared == (NotCompared("a", "/etc/a", "damaged"),)


def test_names_that_read_the_same_do_not_hide_each_other() -> None:
    before = files_of(file("/etc/\\xff"), file("/etc/\\xff", "bb"))
    after = files_of(file("/etc/\\xff"), file("/etc/\\xff", "cc"))
    assert len(compare(before, after).configuration) == 1


@pytest.mark.parametrize("wish", [CONFIGURATION, FILES])
def test_a_guest_that_was_not_read_has_not_lost_its_files(wish: str) -> None:
    unread = Seen("y", "", IMAGE, nothing_examined("it hangs", [PACKAGES, wish]))
    before = files_of(file("/etc/a"), below="/" if wish == FILES else "/etc")
    for found in (compare(before, unread), compare(unread, before)):
        assert (found.packages, found.configuration) == (None, ())
        assert {one.reason for one in found.not_compared} == {"it hangs"}


def test_a_log_that_was_not_replayed_is_told() -> None:
    dirty = FileSystem("xfs", 2, True, dirty=True)
    found = compare(seen(), seen(guest=GuestFacts(filesystems=(dirty,))))
    (told,) = found.not_compared
    assert (told.image, told.what) == ("b", "partition 2")
    assert "xfs log not replayed" in told.reason


def test_facts_of_the_image_and_of_the_guest() -> None:
    after = seen(guest=GuestFacts(os=OsRelease("debian", "13", None)))
    found = compare(seen(guest=GuestFacts(os=OsRelease("debian", "12", None))), after)
    assert told(found) == ['facts ~ guest.os.version_id: "12" -> "13"']
    assert compare(seen(), seen()).facts == ()


def test_the_sizes_of_the_files_are_none_of_the_disk() -> None:
    other = replace(IMAGE, file_size=9, allocated=7, unpacked_size=5)
    assert compare(seen(), replace(seen(), image=other)).facts == ()
    larger = replace(seen(), image=replace(IMAGE, virtual_size=2 << 30))
    assert [one.path for one in compare(seen(), larger).facts] == ["image.virtual_size"]


def test_no_digest_is_told() -> None:
    found = compare(files_of(file("/etc/a", "secret")), files_of(file("/etc/a", "other")))
    assert "secret" not in str(difference_value(found)) + difference_text(found, "a", "b")


def test_nothing_moves_the_cursor() -> None:
    before = seen(deb("a\x1b[2J", "1"), files=(file("/etc/\x1b[2J"),))
    after = seen(guest=GuestFacts(os=OsRelease("\x1b[2J" * 60, None, None)))
    assert "\x1b" not in difference_text(compare(before, after), "a\x1b", "b")
