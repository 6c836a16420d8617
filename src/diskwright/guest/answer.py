"""What passes between a confined child and its parent; light to import, for the parent's sake."""

from __future__ import annotations

from diskwright.model.guest import GuestFacts, Section, Unread

FUNCTION = "diskwright.guest.child:main"
NBD, FILE = "nbd", "file"  # what the inherited descriptor is


def nothing_read(reason: str) -> GuestFacts:
    """Every section is unread, for one reason."""
    return GuestFacts(unread=tuple(Unread(section, reason) for section in Section))
