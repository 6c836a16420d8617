"""What the care of a library finds and does: check, gc, prune."""

from __future__ import annotations

from enum import StrEnum

from diskwright._values import Struct
from diskwright.model.library import Entry

TRASH_GRACE_S = 7 * 86400  # a deleted image can be taken back for so long, at least
ORPHAN_GRACE_S = 86400  # an image may be on its way for so long before its manifest is there


class Fault(StrEnum):
    MISSING = "missing"
    DAMAGED = "damaged"
    ORPHANED = "orphaned"  # nothing needs it: `gc` removes it once it is old enough


class Issue(Struct, frozen=True):
    """`key` is that of an object, of a manifest, or where several lie."""

    fault: Fault
    image: str
    key: str
    detail: str


class Checked(Struct, frozen=True):
    """`parts`: how many were read, out of `parts_total`; each has a SHA-256 in its manifest."""

    images: int
    objects: int
    parts: int
    parts_total: int
    bytes_read: int
    issues: tuple[Issue, ...]

    @property
    def broken(self) -> tuple[Issue, ...]:
        return tuple(issue for issue in self.issues if issue.fault is not Fault.ORPHANED)


class Kept(Struct, frozen=True):
    """An image in the trash, or (`name` empty) what is left of one, that stays. `failed`: it was to
    go, and the library could not be written."""

    image: str
    why: str
    name: str = ""
    failed: bool = False


class Removed(Struct, frozen=True):
    """An image out of the trash, or (`name` empty) what is left of one. `size` in bytes."""

    image: str
    name: str
    objects: int
    size: int


class Collected(Struct, frozen=True):
    """What gc removed, with `dry_run` what it would. `hints`, `claims`, `marks`, `uploads`: how
    many old hints of changes, claims of names that were followed by others, marks of aborted runs,
    and open uploads that nobody goes on with."""

    dry_run: bool
    purged: tuple[Removed, ...]
    orphans: tuple[Removed, ...]
    kept: tuple[Kept, ...]
    hints: int = 0
    claims: int = 0
    marks: int = 0
    uploads: int = 0

    @property
    def failed(self) -> tuple[Kept, ...]:
        return tuple(one for one in self.kept if one.failed)

    @property
    def anything(self) -> bool:
        counts = (self.hints, self.claims, self.marks, self.uploads)
        return bool(self.purged or self.orphans or any(counts))


class Version(Struct, frozen=True):
    """An image of a channel: `goes` into the trash, or stays; and why."""

    entry: Entry
    goes: bool
    why: str


class Pruned(Struct, frozen=True):
    """The versions of a channel, newest first. `proven`: the one that stays and was found whole,
    so that older ones may go; empty where there is none."""

    channel: str
    dry_run: bool
    versions: tuple[Version, ...]
    proven: str = ""

    @property
    def anything(self) -> bool:
        return any(version.goes for version in self.versions)
