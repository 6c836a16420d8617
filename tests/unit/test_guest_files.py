"""The list of a guest's files: what is in it, and what is said of what is not."""

from __future__ import annotations

import hashlib
import itertools

import pytest

from diskwright.blockio.memory import MemoryReader
from diskwright.guest import examining, walking
from diskwright.guest import files as module
from diskwright.guest.answer import CONFIGURATION, PACKAGES
from diskwright.guest.files import SETTINGS, Bounds, list_files
from diskwright.guest.filesystems.base import Node
from diskwright.guest.stand_in import UnreadFs
from diskwright.guest.tree import GuestTree
from diskwright.model.examined import EntryKind, FileEntry, FileListing, Software, Unlisted
from diskwright.model.guest import GuestFacts
from support.fake_guest import Broken, Content, Device, FakeFs, Link, Sparse, tree_of


def listing(files: dict[str, Content], below: str = "/etc", bounds: Bounds = SETTINGS):
    return list_files(tree_of(files), below, bounds)


def file(path: str, data: bytes) -> FileEntry:
    digest = hashlib.sha256(data).hexdigest()
    return FileEntry(path, EntryKind.FILE, len(data), 0o644, digest)


def paths(found: FileListing) -> list[str]:
    return [entry.path for entry in found.entries]


def test_files_and_links_in_the_order_of_their_folders() -> None:
    found = listing(
        {
            "/etc/b": b"two",
            "/etc/a/z": b"",
            "/etc/a-b": b"x" * 3_000_000,
            "/etc/a/null": Device(),
            "/etc/os-release": Link("../usr/lib/os-release"),
            "/usr/lib/os-release": b"no",
        }
    )
    link = FileEntry("/etc/os-release", EntryKind.LINK, 21, 0o777, "../usr/lib/os-release")
    assert found == FileListing(
        "/etc",
        (
            file("/etc/a/z", b""),
            file("/etc/a-b", b"x" * 3_000_000),
            file("/etc/b", b"two"),
            link,
        ),
    )


def test_a_link_is_not_followed_and_a_mount_is() -> None:
    tree = tree_of({"/etc/loop": Link("."), "/var/x": b"hidden", "/etc/a": b"1"})
    tree.mount("/var", FakeFs({"/log/y": b"2"}))
    tree.mount("/made", FakeFs({"/z": b"3"}))
    tree.mount("/home", UnreadFs("partition 3: NTFS is not read"))
    found = list_files(tree, "/", SETTINGS)
    assert paths(found) == ["/etc/a", "/etc/loop", "/made/z", "/var/log/y"]
    assert found.unread == (Unlisted("/home", "partition 3: NTFS is not read"),)


def test_what_can_not_be_read_is_listed_without_a_digest() -> None:
    found = listing({"/etc/a": Broken(), "/etc/b": Sparse(SETTINGS.file_bytes + 1), "/etc/c": b""})
    first, second, third = found.entries
    assert (first.content, first.note) == ("", "its blocks are not to be read")
    assert (second.size, second.content) == (SETTINGS.file_bytes + 1, "")
    assert "16777217 bytes" in second.note
    assert third.content
    assert (found.unread, found.end) == ((), None)


def test_a_folder_that_is_not_there_is_told() -> None:
    assert listing({"/bin/sh": b""}).unread == (Unlisted("/etc", "is not there"),)


@pytest.mark.parametrize(
    ("bounds", "end", "why"),
    [
        (Bounds(3, 9, 99, 9), "/etc/c", "more than 3 files"),
        (Bounds(9, 9, 4, 9), "/etc/c", "more than 4 bytes"),
        (Bounds(9, 9, 99, -1), "/etc", "more than -1 s"),
        (Bounds(9, 9, 99, 9, told=400), "/etc/c", "takes more than 400 bytes"),
    ],
)
def test_where_it_ends_early_it_says_where(bounds: Bounds, end: str, why: str) -> None:
    found = listing({"/etc/a": b"12", "/etc/b": b"34", "/etc/c": b"56"}, bounds=bounds)
    assert found.end == end
    (last,) = found.unread
    assert last.path == end
    assert why in last.reason
    assert paths(found) == [p for p in ("/etc/a", "/etc/b", "/etc/c") if p < end]


def test_time_is_looked_at_within_a_file_too() -> None:
    ticks = itertools.count()
    tree = tree_of({"/etc/a": Sparse(SETTINGS.file_bytes)})
    found = list_files(tree, "/etc", SETTINGS, clock=lambda: next(ticks))
    assert found.end == "/etc/a"


def test_folders_in_each_other_and_names_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walking, "MAX_DEPTH", 3)
    found = listing({"/etc/a/b/c": b"", "/etc/x": b""})
    assert paths(found) == ["/etc/x"]
    assert found.unread == (Unlisted("/etc/a/b", "is deeper than 3 folders"),)
    monkeypatch.setattr(walking, "MAX_MEMBERS", 1)
    assert "more than 1 names" in listing({"/etc/a": b"", "/etc/b": b""}).unread[0].reason


def test_a_budget_that_is_spent_ends_it() -> None:
    found = listing({"/etc/a": b"", "/etc/b": Broken("budget"), "/etc/c": b""})
    assert (found.end, paths(found)) == ("/etc/b", ["/etc/a"])


def test_places_that_can_not_be_read_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MAX_NOTES", 1)
    tree = tree_of({"/etc/x": b""})
    for name in "abc":
        tree.mount(f"/etc/{name}", UnreadFs("no"))
    found = list_files(tree, "/etc", SETTINGS)
    assert found.end == "/etc/b"
    assert len(found.unread) == 2


def test_names_wait_within_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walking, "MAX_WAITING", 65 * 3)
    files: dict[str, Content] = {"/etc/a/1": b"", "/etc/a/2": b"", "/etc/a/3": b"", "/etc/b": b""}
    files["/etc/c"] = b""
    found = listing(files)
    assert paths(found) == ["/etc/b", "/etc/c"]
    assert found.end is None
    (unread,) = found.unread
    assert (unread.path, "too many names" in unread.reason) == ("/etc/a", True)
    del files["/etc/c"], files["/etc/a/3"]
    assert paths(listing(files)) == ["/etc/a/1", "/etc/a/2", "/etc/b"]


def test_what_is_named_is_opened_when_its_turn_comes() -> None:
    class Counting(FakeFs):
        opened = 0

        def child(self, node: Node, name: bytes) -> Node | None:
            self.opened += 1
            return super().child(node, name)

    fs = Counting({f"/{n}/x": b"" for n in range(100)})
    walk = GuestTree(fs).below("/")
    assert [next(walk).path for _ in range(3)] == ["/", "/0", "/0/x"]
    assert fs.opened == 2


def test_a_listing_that_fails_loses_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> FileListing:
        raise MemoryError

    facts = GuestFacts(root=0)
    monkeypatch.setattr(examining, "list_files", fail)
    monkeypatch.setattr(examining, "open_guest", lambda *_, **__: (facts, tree_of({"/x": b""})))
    found = examining.examine_guest(MemoryReader(0, {}), [PACKAGES, CONFIGURATION])
    assert (found.guest, found.software) == (facts, Software())
    assert found.files is not None
    assert (found.files.end, found.files.entries) == ("/etc", ())
    assert "MemoryError" in found.files.unread[0].reason
