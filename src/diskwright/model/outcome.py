"""What a verb has made, as values: what the Python API returns and the reports show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diskwright._values import Struct

if TYPE_CHECKING:
    from diskwright.model.attributes import ImportAttributes
    from diskwright.model.cost import ReadingCost
    from diskwright.model.deep import Deep
    from diskwright.model.examined import Software
    from diskwright.model.finding import Verdict
    from diskwright.model.guest import GuestFacts
    from diskwright.model.image import ImageFacts
    from diskwright.model.iso import InspectedIso
    from diskwright.model.package import PackageFacts
    from diskwright.model.stored import StoreCapabilities


class Inspected(Struct, frozen=True):
    """Of an ISO `guest` is None and `iso` is not. `package` is what the disk `name` lies in."""

    path: str
    image: ImageFacts
    guest: GuestFacts | None
    iso: InspectedIso | None = None
    package: PackageFacts | None = None
    name: str = ""
    deep: Deep | None = None  # where it was asked for
    software: Software | None = None  # likewise
    cost: ReadingCost | None = None  # of reading `guest`; None where its reader broke down


class Validated(Struct, frozen=True):
    path: str
    image: ImageFacts
    guest: GuestFacts
    verdict: Verdict
    name: str = ""  # of the disk, in a package
    data: bool = False  # judged as a data disk
    cost: ReadingCost | None = None  # as of `Inspected`


class Converted(Struct, frozen=True):
    """`digest` is dw1 of the guest's bytes; empty where qemu-img made the file unverified.

    `rounded_from`: the source's virtual size, where zeros behind it make the disk larger; the
    source's digest is then another, `source_digest`, and a GPT's backup (`gpt_backup_inside`) no
    longer stands at the disk's end. `package_verified`: whether the package that the disk lies in
    has a digest of it, which held; None where it lies in none.
    """

    source: str
    target: str
    format: str
    compressed: bool
    virtual_size: int
    stored_size: int
    digest: str
    verified: bool
    subformat: str = ""
    rounded_from: int | None = None
    source_digest: str = ""
    gpt_backup_inside: bool = False
    package_verified: bool | None = None


class PreparedDisk(Struct, frozen=True):
    """One disk of a prepared image; `name` is its own in a package, else empty."""

    name: str
    key: str
    format: str
    compressed: bool
    virtual_size: int
    stored_size: int
    part_size: int
    digest: str
    object_digest: str
    verdict: Verdict
    attributes: ImportAttributes


class Prepared(Struct, frozen=True):
    """`dry_run`: nothing was sent; `stored_size` is then an upper bound and digests are empty.

    `disks` are all of the image, in order; what stands beside them is said of the first.
    `package_verified`: as of `Converted`.
    """

    target: str
    image: str
    name: str
    key: str
    manifest_key: str
    sealed: bool
    format: str
    compressed: bool
    virtual_size: int
    stored_size: int
    part_size: int
    digest: str
    object_digest: str
    dry_run: bool
    verdict: Verdict
    attributes: ImportAttributes
    disks: tuple[PreparedDisk, ...]
    package_verified: bool | None = None

    @property
    def profile(self) -> str:
        """The target that it was judged for."""
        return self.verdict.profile


class Restored(Struct, frozen=True):
    """`digest` is dw1 of the bytes read back, empty where nobody did; `manifest_digest` what the
    manifest says. `staged_bytes`: what lay beside the output for a while, because a format was
    asked for. `passed_over`: manifests there that could not be read.
    """

    source: str
    image: str
    name: str
    target: str
    sealed: bool
    format: str
    virtual_size: int
    stored_size: int
    digest: str
    manifest_digest: str
    verified: bool
    staged_bytes: int
    passed_over: tuple[str, ...] = ()
    disk: str = ""  # its name in the package that it was from


class ReopenedDisk(Struct, frozen=True):
    """One disk of a reopened image; `name` is its own in a package, else empty."""

    name: str
    key: str
    format: str
    virtual_size: int
    stored_size: int
    manifest_digest: str
    attributes: ImportAttributes | None


class Reopened(Struct, frozen=True):
    """An import-ready image `image` at `target`, made of the stored image `opened`.

    `manifest_digest` is what that one's manifest says; nothing was read back. `disks` are all of
    the image, in order; what stands beside them is said of the first.
    """

    source: str
    opened: str
    target: str
    image: str
    name: str
    key: str
    manifest_key: str
    format: str
    virtual_size: int
    stored_size: int
    manifest_digest: str
    attributes: ImportAttributes | None
    disks: tuple[ReopenedDisk, ...]
    profile: str  # the target that it was judged for
    passed_over: tuple[str, ...] = ()


class Tool(Struct, frozen=True):
    """An external program: `version` is empty where it is not there."""

    name: str
    version: str
    needed_for: str


class Doctored(Struct, frozen=True):
    tools: tuple[Tool, ...]
    confinement: str  # what is in force, in words
    confined: bool
    os_database: str  # its date
    target: str = ""
    capabilities: StoreCapabilities | None = None
