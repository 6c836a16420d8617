"""Package databases: what is installed by each, and what is said of what can't be read."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from diskwright.guest.reading import Unreadable
from diskwright.guest.software import entries, listing, rpm
from diskwright.guest.software.listing import read_software
from diskwright.guest.stand_in import UnreadFs
from diskwright.model.examined import InstalledPackage, PackageKind, Software
from support.fake_guest import Broken, Content, Link, Sparse, tree_of
from support.rpm_maker import database, header

STATUS = """\
Package: bash
Essential: yes
Status: install ok installed
Architecture: amd64
Version: 5.2.15-2+b7
Description: GNU Bourne Again SHell
 Version: 9, says a line that goes on

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1

Package: never
Status: unknown ok not-installed

package: half
status: install ok half-configured
architecture: all
version: 1:2~rc1
"""
BASH = InstalledPackage(PackageKind.DEB, "bash", "5.2.15-2+b7", "amd64")
HALF = InstalledPackage(PackageKind.DEB, "half", "1:2~rc1", "all")
GLIBC = header(name="glibc", version="2.34", release="83.el9.7", arch="x86_64")
SHADOW = header(name="shadow-utils", epoch=2, version="4.9", release="8.el9", arch="x86_64")
KEY = header(name="gpg-pubkey", version="350d275d", release="6279464b")
APK = """\
C:Q1abc=
P:musl
V:1.2.4-r2
A:x86_64
T:the musl c library
F:lib
R:ld-musl-x86_64.so.1

P:busybox
V:1.36.1-r5
A:x86_64
"""


def software(files: dict[str, Content]) -> Software:
    return read_software(tree_of(files))


def said(found: Software) -> list[str]:
    return [f"{p.kind}:{p.name}:{p.architecture}={p.full_version}" for p in found.packages]


def test_dpkg_lists_what_has_files_on_the_disk() -> None:
    found = software({"/var/lib/dpkg/status": STATUS})
    assert found == Software((BASH, HALF), ("/var/lib/dpkg/status",))


def test_updates_of_dpkg_that_wait_count_in_their_order() -> None:
    newer = "Package: bash\nStatus: install ok installed\nArchitecture: amd64\nVersion: {}\n"
    found = software(
        {
            "/var/lib/dpkg/status": STATUS,
            "/var/lib/dpkg/updates/0001": newer.format("6"),
            "/var/lib/dpkg/updates/0002": newer.format("7"),
            "/var/lib/dpkg/updates/0003": STATUS[-80:].replace(
                "install ok half-configured", "x x config-files"
            ),
            "/var/lib/dpkg/updates/tmp.i": newer.format("8"),
        }
    )
    assert said(found)[0] == "deb:bash:amd64=7"


def test_a_guest_without_a_package_manager_has_a_folder_of_packages() -> None:
    one = "Package: tzdata\nVersion: 2024a-0\nArchitecture: all\n"
    folder = "/var/lib/dpkg/status.d"
    found = software({f"{folder}/tzdata": one, f"{folder}/tzdata.md5sums": "0  usr/share/x\n"})
    assert (said(found), found.databases) == (["deb:tzdata:all=2024a-0"], (folder,))


@pytest.mark.parametrize("path", listing.APK)
def test_apk(path: str) -> None:
    found = software({path: APK})
    assert said(found) == ["apk:busybox:x86_64=1.36.1-r5", "apk:musl:x86_64=1.2.4-r2"]
    assert (found.databases, found.unread) == ((path,), ())


@pytest.mark.parametrize("folder", listing.RPM)
@pytest.mark.parametrize("logged", [True, False])
def test_rpm_keys_are_no_packages(folder: str, logged: bool) -> None:
    found = software({f"{folder}/rpmdb.sqlite": database(SHADOW, KEY, GLIBC, logged=logged)})
    glibc, shadow = found.packages
    assert glibc == InstalledPackage(PackageKind.RPM, "glibc", "2.34-83.el9.7", "x86_64")
    assert (shadow.epoch, shadow.full_version) == (2, "2:4.9-8.el9")
    assert (found.databases, found.unread) == ((f"{folder}/rpmdb.sqlite",), ())


def test_a_database_behind_a_link_is_read_once() -> None:
    data = database(GLIBC)
    found = software(
        {
            "/usr/lib/sysimage/rpm/rpmdb.sqlite": data,
            "/var/lib/rpm": Link("../../usr/lib/sysimage/rpm"),
        }
    )
    assert len(found.packages) == 1


@pytest.mark.parametrize(("name", "form"), [("Packages", "Berkeley DB"), ("Packages.db", "ndb")])
def test_other_databases_of_rpm_are_named_and_not_read(name: str, form: str) -> None:
    found = software({f"/var/lib/rpm/{name}": b"x"})
    assert found.unread == (f"/var/lib/rpm/{name}: rpm's database in {form} is not read",)


def test_changes_in_a_log_are_told() -> None:
    place = "/var/lib/rpm/rpmdb.sqlite"
    found = software({place: database(GLIBC), f"{place}-wal": b"x"})
    assert len(found.packages) == 1
    assert found.unread == (f"{place}-wal: changes that stand in this log alone are not read",)
    assert software({place: database(GLIBC), f"{place}-wal": b""}).unread == ()


def test_a_guest_with_no_database_that_is_known_says_nothing() -> None:
    assert software({"/etc/os-release": "ID=arch"}) == Software()


def test_one_that_can_not_be_read_leaves_the_others() -> None:
    found = software(
        {
            "/var/lib/dpkg/status": Broken(),
            "/lib/apk/db/installed": APK,
            "/var/lib/rpm": Link("rpm"),
        }
    )
    assert len(found.packages) == 2
    first, second = found.unread
    assert first == "/var/lib/dpkg/status: its blocks are not to be read"
    assert second.startswith("/var/lib/rpm/rpmdb.sqlite: leads through more than 40 links")


def test_a_part_of_the_guest_that_is_not_read_is_told() -> None:
    tree = tree_of({"/etc/os-release": ""})
    tree.mount("/var", UnreadFs("partition 3: btrfs is not read yet"))
    found = read_software(tree)
    assert found.packages == ()
    assert all("btrfs is not read" in reason for reason in found.unread)
    assert found.unread


def test_what_is_larger_than_any_database_is_not_read() -> None:
    found = software({"/var/lib/dpkg/status": Sparse(listing.MAX_DATABASE + 1)})
    assert found.packages == ()
    assert "67108865 bytes" in found.unread[0]


def test_more_packages_than_there_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entries, "MAX_PACKAGES", 1)
    monkeypatch.setattr(listing, "MAX_PACKAGES", 1)
    files = {
        "/var/lib/dpkg/status": STATUS,
        "/lib/apk/db/installed": APK,
        "/var/lib/rpm/rpmdb.sqlite": database(GLIBC, SHADOW),
    }
    for path, data in files.items():
        assert "more than 1 packages" in " ".join(software({path: data}).unread)
    one = {"/var/lib/dpkg/status": STATUS.partition("\n\n")[0]}
    both = software({**one, "/var/lib/rpm/rpmdb.sqlite": database(GLIBC)})
    assert said(both) == ["deb:bash:amd64=5.2.15-2+b7"]
    assert "together there are more than 1 packages" in both.unread[0]


def test_entries_that_say_nothing_are_counted() -> None:
    odd = "Package: x\nArchitecture: all\n\nVersion: 1\n\n" + f"Package: {'n' * 600}\nVersion: 1\n"
    assert software({"/var/lib/dpkg/status": odd}).unread == (
        "/var/lib/dpkg/status: 3 entries without a name or a version",
    )
    data = database(GLIBC, b"", b"\0" * 40, GLIBC[:-1], header(name="x", version="1"))
    found = software({"/var/lib/rpm/rpmdb.sqlite": data})
    assert len(found.packages) == 1
    assert "4 entries" in found.unread[0]


def test_names_are_text_whatever_their_bytes() -> None:
    found = software({"/lib/apk/db/installed": b"P:a\xff\nV:1\nA:x\n"})
    assert found.packages[0].name == "a\\xff"


PROGRAMS = {
    "a view": (
        "CREATE VIEW Packages AS WITH RECURSIVE r(blob) AS "
        "(SELECT x'00' UNION ALL SELECT blob FROM r) SELECT blob FROM r"
    ),
    "a computed column": "CREATE TABLE Packages (n, blob AS (zeroblob(1000000000)))",
    "a table of a module's": "CREATE VIRTUAL TABLE Packages USING fts4(blob)",
    "another table": "CREATE TABLE Others (blob)",
    "another column": "CREATE TABLE Packages (head BLOB)",
}


@pytest.mark.parametrize("made", PROGRAMS.values(), ids=PROGRAMS)
def test_nothing_that_a_schema_says_is_run(made: str) -> None:
    with closing(sqlite3.connect(":memory:")) as memory:
        memory.execute(made)
        data = memory.serialize()
    with pytest.raises(Unreadable, match="no table of packages' headers"):
        rpm.parse_rpmdb(data)


def test_what_sqlite_may_cost_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    data = database(*[GLIBC] * 50_000)
    monkeypatch.setattr(rpm, "MAX_STEPS", 0)
    with pytest.raises(Unreadable, match="interrupted"):
        rpm.parse_rpmdb(data)
    monkeypatch.setattr(rpm, "MAX_HEADERS", len(GLIBC) * 2)
    with pytest.raises(Unreadable, match="headers have more than"):
        rpm.parse_rpmdb(database(*[GLIBC] * 3))
    monkeypatch.setattr(rpm, "MAX_HEADER", 1000)
    with pytest.raises(Unreadable, match="too big"):
        rpm.parse_rpmdb(database(bytes(2000)))


def test_what_is_no_database() -> None:
    for data in (b"", b"SQLite format 3\0", b"x" * 4096, database(7)):
        with pytest.raises(Unreadable):
            rpm.parse_rpmdb(data)
