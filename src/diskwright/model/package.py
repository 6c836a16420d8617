"""What a package of disks (an OVA) says of itself. Every text is as it stands there, untrusted."""

from __future__ import annotations

from enum import StrEnum

from diskwright._values import Struct
from diskwright.model.image import Problem


class DiskOrder(StrEnum):
    """Where the order of a package's disks is from."""

    HARDWARE = "hardware section"  # by controller and address on it: the order of a machine
    DISKS = "disk section"


class PackageMember(Struct, frozen=True):
    """A file in the package, `offset` and `size` in bytes from the package's start."""

    name: str
    offset: int
    size: int


class PackageDisk(Struct, frozen=True):
    """`capacity` in bytes and `format` (a URI, perhaps empty) are what the descriptor says."""

    name: str
    offset: int
    size: int
    capacity: int
    format: str


class MemberDigest(Struct, frozen=True):
    """What the package's manifest says of a member: `value` is lower-case hex."""

    name: str
    algorithm: str  # as hashlib spells it: sha1, sha256, ...
    value: str


class PackageFacts(Struct, frozen=True):
    """One virtual machine's package. `digests` are empty where it has no manifest."""

    name: str
    os_id: int | None  # of CIM_OperatingSystem.OSType
    os_description: str
    cpus: int | None
    memory_bytes: int | None
    members: tuple[PackageMember, ...]
    disks: tuple[PackageDisk, ...]
    disk_order: DiskOrder
    digests: tuple[MemberDigest, ...] = ()
    digests_verified: bool = False  # each of `digests` was computed again, and held
    problems: tuple[Problem, ...] = ()
