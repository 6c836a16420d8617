"""What is told of a guest only where it was asked for: too much for a manifest."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from diskwright.model.guest import GuestFacts


class PackageKind(StrEnum):
    """Which package manager keeps it; the values are the types of package URLs."""

    DEB = "deb"
    RPM = "rpm"
    APK = "apk"


@dataclass(frozen=True, slots=True)
class InstalledPackage:
    """`version` as its manager writes it; of an rpm it is VERSION-RELEASE, and `epoch` apart."""

    kind: PackageKind
    name: str
    version: str
    architecture: str
    epoch: int | None = None

    @property
    def full_version(self) -> str:
        return self.version if self.epoch is None else f"{self.epoch}:{self.version}"


@dataclass(frozen=True, slots=True)
class Software:
    """What the package managers of a guest say is installed, sorted.

    `databases`: the files that were read. `unread`: what was not, or not whole, and why; where
    both are empty the guest has no package manager that is known.
    """

    packages: tuple[InstalledPackage, ...] = ()
    databases: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Examined:
    """`software` is None where it was not asked for."""

    guest: GuestFacts
    software: Software | None = None
