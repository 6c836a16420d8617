"""Private images as a library keeps them: what an entry says, and the states it goes through."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from diskwright._values import Struct, field
from diskwright.model.names import is_uuid
from diskwright.model.recipient import Recipient


class ImageKind(StrEnum):
    """The console's words: system disk image, data disk image, full-server image."""

    SYSTEM = "system-disk"
    DATA = "data-disk"
    FULL = "full-server"


class Status(StrEnum):
    """`queued` and `saving` are of a run on this workstation; `pending-delete`: in the trash."""

    QUEUED = "queued"
    SAVING = "saving"
    ACTIVE = "active"
    PENDING_DELETE = "pending-delete"
    DELETED = "deleted"
    ERROR = "error"


# From a status to those that may follow it. An entry begins as queued, or as what the library says.
STEPS: dict[Status, frozenset[Status]] = {
    Status.QUEUED: frozenset({Status.SAVING, Status.ERROR, Status.DELETED}),
    Status.SAVING: frozenset({Status.ACTIVE, Status.ERROR, Status.DELETED}),
    Status.ACTIVE: frozenset({Status.PENDING_DELETE, Status.ERROR}),
    Status.PENDING_DELETE: frozenset({Status.ACTIVE, Status.DELETED}),
    Status.ERROR: frozenset({Status.ACTIVE, Status.PENDING_DELETE, Status.DELETED}),
    Status.DELETED: frozenset(),
}


def may_become(before: Status, after: Status, *, several: bool) -> bool:
    """Whether one step leads there; with `several` any number, as where others took them."""
    reached = {before} | STEPS[before]
    while several and (more := {step for one in reached for step in STEPS[one]} - reached):
        reached |= more
    return after in reached


class Visibility(StrEnum):
    """`shared`: another account's, which it lets us use; `public`: of a library for everybody."""

    PRIVATE = "private"
    SHARED = "shared"
    PUBLIC = "public"


class MemberState(StrEnum):
    """What an account that an image was offered to has said to it."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


class Member(Struct, frozen=True):
    """An account that an image is shared with. `account` is the id of its public key."""

    account: str
    name: str
    state: MemberState = MemberState.PENDING


class EntryDisk(Struct, frozen=True):
    """One disk of an image, in order. Sizes in bytes."""

    key: str
    format: str
    compressed: bool
    virtual_size: int
    object_size: int  # as stored
    digest: str  # dw1 of what the guest sees
    object_digest: str  # SHA-256 over the parts' digests
    data: bool = False  # no operating system is on it
    name: str = ""


class Entry(Struct, frozen=True):
    """A private image: the newest state of its manifest and its records.

    `name` and all that its key opens are None, empty or 0 while a sealed image is not `opened`.
    """

    id: str
    name: str | None
    status: Status
    kind: ImageKind | None  # None: of a sealed one with one disk that is not opened
    created: str  # YYYY-MM-DDTHH:MM:SSZ
    updated: str
    seq: int  # of the newest record, 0 where there is none
    head: str  # SHA-256 of the newest record, of the manifest where there is none
    visibility: Visibility = Visibility.PRIVATE
    sealed: bool = False
    opened: bool = True
    recipients: tuple[Recipient, ...] = ()
    description: str = ""
    os_type: str = ""
    os: str = ""  # ID and version as os-release has them: "debian 12"
    os_version: str | None = None  # as the service spells it
    architecture: str = ""
    boot_mode: str = ""
    min_disk_gib: int = 0
    min_memory_mib: int = 0
    max_memory_mib: int = 0  # 0: no limit
    needs_memory_mib: int = 0  # what the guest was judged to need
    nic_multiqueue: bool = False
    sriov: bool = False
    can_multiqueue: bool | None = None  # its guest has the driver; None: not known
    can_sriov: bool | None = None
    quick: bool = False  # a server starts from it at once, by an overlay
    disks: tuple[EntryDisk, ...] = ()
    tags: dict[str, str] = field(default_factory=dict)
    members: tuple[Member, ...] = ()
    owner: str = ""  # who made it
    profile: str = ""
    source_name: str = ""
    source_format: str = ""
    source_digest: str = ""  # dw1 of the disk, the first one, that it was made of
    tools: dict[str, str] = field(default_factory=dict)  # versions of what made it
    base: str = ""  # the image that it is stored as a difference from
    from_image: str = ""  # the image that it was replicated from
    channel: str = ""  # versions of one golden image have one channel
    proven: str = ""  # when it was last restored or booted, and found whole
    failed: tuple[str, ...] = ()  # rules that fail or warn, accepted ones included
    received: MemberState | None = None  # of a shared image: what we said to it
    origin: str = ""  # of a shared image: the library that it lies in
    warnings: tuple[str, ...] = ()  # what does not hold together, told and passed over

    @property
    def virtual_sizes(self) -> tuple[int, ...]:
        return tuple(disk.virtual_size for disk in self.disks)

    @property
    def virtual_size(self) -> int:
        return sum(self.virtual_sizes)

    @property
    def object_size(self) -> int:
        return sum(disk.object_size for disk in self.disks)


class Listed(NamedTuple):
    """Of an entry what a long list says of each: a tuple, as there may be 100,000 of them."""

    name: str | None
    id: str
    status: Status
    os: str
    kind: ImageKind | None
    created: str
    virtual_sizes: tuple[int, ...]
    object_size: int
    sealed: bool


class Change(Struct, frozen=True):
    """A record as `image history` tells it; `what` in words, `digest` of its bytes (SHA-256)."""

    seq: int
    time: str
    kind: str
    who: str
    what: str
    digest: str


class Changed(Struct, frozen=True):
    """An image after a change, and the change in words; empty: nothing was to change.

    With `dry_run` the image as it is, and what would change.
    """

    entry: Entry
    what: str
    dry_run: bool = False


class Query(Struct, frozen=True):
    """Which entries, in which order. Empty or None: not asked for. Times as in `Entry`.

    `name` is a shell pattern (fnmatch). `sort` is one of `SORTS`. `limit` 0: all.
    """

    name: str = ""
    statuses: tuple[Status, ...] = ()
    kinds: tuple[ImageKind, ...] = ()
    visibilities: tuple[Visibility, ...] = ()
    os: str = ""  # a part of `os` or `os_type`, whatever its case
    tags: dict[str, str | None] = field(default_factory=dict)  # all of them; None: any value
    memory_mib: int | None = None  # a server of so much can be made of it: of no data disk
    created_since: str = ""
    created_until: str = ""
    channel: str = ""
    sort: str = "created"
    descending: bool = False
    limit: int = 0
    offset: int = 0


SORTS = ("name", "created", "updated", "size", "stored", "status", "kind", "os", "id")


class LibraryInfo(Struct, frozen=True):
    """`T/library.json`: what makes a place a library."""

    id: str  # UUID version 4
    time: str
    public: bool = False  # its images are for everybody who reads there
    v: int = 1

    def __post_init__(self) -> None:
        if not is_uuid(self.id):  # catalogs and locks are named by it
            raise ValueError(f"{self.id!r} is no library's id")


class Synced(Struct, frozen=True):
    """What a sync found. `changed`: images read anew; `gone`: forgotten, as they are not there any
    more; `damaged`: what does not hold together, in words. `whole`: everything was listed.
    `unread`: libraries that we receive from and that can't be read now, and why."""

    changed: tuple[str, ...]
    gone: tuple[str, ...]
    damaged: tuple[str, ...]
    whole: bool
    unread: tuple[str, ...] = ()


class KnownLibrary(Struct, frozen=True):
    """A library of this workstation's list. `id` is that of its `library.json`.

    `account`: the key file with which another's images are received, empty where it is our own;
    `account_id` is the id of that key, `into` that of our own library that shows them. What is
    said of S3 goes before the settings; empty: as they say.
    """

    name: str
    url: str
    id: str = ""
    account: str = ""
    default: bool = False
    account_id: str = ""
    into: str = ""
    endpoint_url: str = ""
    region: str = ""
    addressing_style: str = ""
    credentials_profile: str = ""
