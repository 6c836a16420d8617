"""The packages that a guest's managers know of, whichever of them there are."""

from __future__ import annotations

from collections.abc import Callable, Collection

from diskwright._values import Struct, field
from diskwright.guest.reading import GuestReadError, NotThere, Unreadable
from diskwright.guest.software.entries import MAX_PACKAGES, parse_apk, parse_dpkg
from diskwright.guest.software.rpm import parse_rpmdb
from diskwright.guest.tree import GuestTree
from diskwright.model.examined import InstalledPackage, Software
from diskwright.model.units import MIB

MAX_DATABASE = 64 * MIB
MAX_PARTS = 10_000  # files of status.d, one for each package
MAX_NOTES = 100

DPKG = "/var/lib/dpkg"
APK = ("/lib/apk/db/installed", "/usr/lib/apk/db/installed")
RPM = ("/usr/lib/sysimage/rpm", "/var/lib/rpm", "/usr/share/rpm")  # the last one of rpm-ostree
RPM_SQLITE, RPM_LOG = "rpmdb.sqlite", "rpmdb.sqlite-wal"
RPM_OTHERS = {"Packages.db": "ndb", "Packages": "Berkeley DB"}

_Parsed = tuple[Collection[InstalledPackage], int]


def read_software(tree: GuestTree) -> Software:
    """Each database for itself: what can't be read is named, and the others stay."""
    found = _Found(tree)
    found.dpkg()
    for path in APK:
        if found.whole(path, parse_apk):
            break
    for folder in RPM:
        if found.rpm(folder):
            break
    packages = sorted(found.packages, key=lambda p: (p.kind, p.name, p.architecture, p.version))
    return Software(tuple(packages), tuple(found.databases), tuple(found.unread))


class _Found(Struct):
    tree: GuestTree
    packages: list[InstalledPackage] = field(default_factory=list)
    databases: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)

    def whole(self, path: str, parse: Callable[[bytes], _Parsed]) -> bool:
        """A database in one file; whether there is one."""
        try:
            packages, left_out = parse(self.tree.read_bytes(path, MAX_DATABASE))
            self._add(packages)
        except NotThere:
            return False
        except Unreadable as error:
            self._failed(path, error)
            return True
        self._read(path, left_out)
        return True

    def dpkg(self) -> None:
        """The status file with the updates that wait to be put into it, and status.d.

        Updates are lib/dpkg/dbmodify.c's of dpkg: files of digits, each with whole entries.
        """
        packages: dict[tuple[str, str], InstalledPackage] = {}
        self._dpkg_file(f"{DPKG}/status", packages)
        for name in self._names(f"{DPKG}/updates"):
            if name.isdecimal():
                self._dpkg_file(f"{DPKG}/updates/{name}", packages)
        folder = f"{DPKG}/status.d"
        parts = [name for name in self._names(folder) if not name.endswith(".md5sums")]
        for name in parts:
            self._dpkg_file(f"{folder}/{name}", packages, part=True)
        if parts:
            self.databases.append(folder)
        try:
            self._add(packages.values())
        except Unreadable as error:
            self._failed(DPKG, error)

    def rpm(self, folder: str) -> bool:
        """Whether there is a database of one form or another."""
        path = f"{folder}/{RPM_SQLITE}"
        if self.whole(path, parse_rpmdb):
            if path in self.databases:
                self._note_log(f"{folder}/{RPM_LOG}")
            return True
        for name, form in RPM_OTHERS.items():
            try:
                if self.tree.is_file(f"{folder}/{name}"):
                    self._note(f"{folder}/{name}: rpm's database in {form} is not read")
                    return True
            except GuestReadError as error:
                self._failed(f"{folder}/{name}", error)
                return True
        return False

    def _note_log(self, path: str) -> None:
        try:
            if self.tree.size(path):
                self._note(f"{path}: changes that stand in this log alone are not read")
        except NotThere:
            return
        except Unreadable as error:
            self._failed(path, error)

    def _dpkg_file(
        self, path: str, into: dict[tuple[str, str], InstalledPackage], *, part: bool = False
    ) -> None:
        try:
            left_out = parse_dpkg(self.tree.read_bytes(path, MAX_DATABASE), into)
        except NotThere:
            return
        except Unreadable as error:
            self._failed(path, error)
            return
        self._read(path, left_out, part=part)

    def _names(self, folder: str) -> list[str]:
        try:
            return self.tree.names(folder, MAX_PARTS)
        except NotThere:
            return []
        except Unreadable as error:
            self._failed(folder, error)
            return []

    def _add(self, packages: Collection[InstalledPackage]) -> None:
        if len(self.packages) + len(packages) > MAX_PACKAGES:
            raise Unreadable("too-large", f"together there are more than {MAX_PACKAGES} packages")
        self.packages += packages

    def _read(self, path: str, left_out: int, *, part: bool = False) -> None:
        if not part:
            self.databases.append(path)
        if left_out:
            self._note(f"{path}: {left_out} entries without a name or a version")

    def _failed(self, path: str, error: GuestReadError) -> None:
        self._note(f"{error.path or path}: {error.detail}")

    def _note(self, text: str) -> None:
        if len(self.unread) < MAX_NOTES:
            self.unread.append(text)
