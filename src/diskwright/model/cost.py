"""What it took to read a guest: counts and times, which are no facts of its disk."""

from __future__ import annotations

from diskwright._values import Struct
from diskwright.model.guest import Section


class Stage(Struct, frozen=True):
    """Time that went into a section of the facts."""

    section: Section
    microseconds: int


class ReadingCost(Struct, frozen=True):
    """Of one confined child. `bytes_read` were fetched from the virtual disk, in `reads` calls.

    `microseconds` is all its time with the disk, that of the `stages` and what lies between.
    `peak_memory`: bytes that were resident; the kernel counts from before the child's own program
    was loaded, so it is never below what its parent had then.
    """

    bytes_read: int
    reads: int
    microseconds: int
    stages: tuple[Stage, ...]
    peak_memory: int
