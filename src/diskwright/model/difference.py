"""What differs between two images, as values. `a` is the one before, `b` the one after.

Digests of files are compared and not told: that of a short secret gives it away.
"""

from __future__ import annotations

from enum import StrEnum

from diskwright._values import Struct
from diskwright.model.examined import EntryKind, PackageKind


class Change(StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


class FactChange(Struct, frozen=True):
    """`path` as in the JSON of `inspect`'s facts, of members of lists by their index in `a`, of
    added ones in `b`. `before` and `after` are JSON values.
    """

    change: Change
    path: str
    before: object = None
    after: object = None


class PackageChange(Struct, frozen=True):
    """Of one that is installed in several versions each that is new or gone is told for itself."""

    change: Change
    kind: PackageKind
    name: str
    architecture: str
    before: str | None = None  # versions
    after: str | None = None


class FileState(Struct, frozen=True):
    kind: EntryKind
    size: int
    mode: int
    target: str | None = None  # of a link


class FileChange(Struct, frozen=True):
    """`content`: whether the bytes differ, or the link's target; else only the mode does."""

    change: Change
    path: str
    before: FileState | None = None
    after: FileState | None = None
    content: bool = True


class NotCompared(Struct, frozen=True):
    """`image` is a or b; `what` a path or a place in it, the word packages, or a fact as
    `guest.fstab`: of it, and below it, what that image lacks (`*`: of every member of a list).
    """

    image: str
    what: str
    reason: str


class Differences(Struct, frozen=True):
    """`packages` are None where one of the images has no list that was read; `files` (all but the
    `configuration`, which is below /etc) where they were not asked for.
    """

    a: str
    b: str
    facts: tuple[FactChange, ...]
    packages: tuple[PackageChange, ...] | None
    configuration: tuple[FileChange, ...]
    files: tuple[FileChange, ...] | None
    not_compared: tuple[NotCompared, ...] = ()
    name_a: str = ""  # of the disks, in packages
    name_b: str = ""
