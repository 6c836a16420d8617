"""What is told of a guest only where it was asked for: too much for a manifest."""

from __future__ import annotations

from enum import StrEnum

from diskwright._values import Struct
from diskwright.model.guest import GuestFacts


class PackageKind(StrEnum):
    """Which package manager keeps it; the values are the types of package URLs."""

    DEB = "deb"
    RPM = "rpm"
    APK = "apk"


class InstalledPackage(Struct, frozen=True):
    """`version` as its manager writes it; of an rpm it is VERSION-RELEASE, and `epoch` apart."""

    kind: PackageKind
    name: str
    version: str
    architecture: str
    epoch: int | None = None

    @property
    def full_version(self) -> str:
        return self.version if self.epoch is None else f"{self.epoch}:{self.version}"


class Software(Struct, frozen=True):
    """What the package managers of a guest say is installed, sorted.

    `databases`: the files that were read. `unread`: what was not, or not whole, and why; where
    both are empty the guest has no package manager that is known.
    """

    packages: tuple[InstalledPackage, ...] = ()
    databases: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


class EntryKind(StrEnum):
    FILE = "file"
    LINK = "link"


class FileEntry(Struct, frozen=True):
    """A regular file or a link. `content` is the SHA-256 of a file's bytes in hex, or a link's
    target; where it is empty it was not read, and `note` says why. `mode`: the permission bits.
    """

    path: str
    kind: EntryKind
    size: int
    mode: int
    content: str
    note: str = ""


class Unlisted(Struct, frozen=True):
    """What may be at `path`, or below it, is not known."""

    path: str
    reason: str


class FileListing(Struct, frozen=True):
    """Files and links `below` a folder, each folder's names in order, those in it right after it.

    Where it ends early, `end` is the first path that is not in it, and `unread` says why.
    """

    below: str
    entries: tuple[FileEntry, ...] = ()
    unread: tuple[Unlisted, ...] = ()
    end: str | None = None


class Examined(Struct, frozen=True):
    """`software` and `files` are None where they were not asked for."""

    guest: GuestFacts
    software: Software | None = None
    files: FileListing | None = None
