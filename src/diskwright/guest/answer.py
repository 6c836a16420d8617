"""What passes between a confined child and its parent; light to import, for the parent's sake."""

from __future__ import annotations

from dataclasses import dataclass

from diskwright.model.cost import ReadingCost
from diskwright.model.guest import GuestFacts, Section, Unread

FUNCTION = "diskwright.guest.child:main"
NBD, FILE = "nbd", "file"  # what the inherited descriptor is


@dataclass(frozen=True, slots=True)
class Answer:
    """`cost` stands beside the facts: these are the same whenever the same disk is read."""

    facts: GuestFacts
    cost: ReadingCost | None = None


def nothing_read(reason: str) -> GuestFacts:
    """Every section is unread, for one reason."""
    return GuestFacts(unread=tuple(Unread(section, reason) for section in Section))
