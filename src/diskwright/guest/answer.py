"""What passes between a confined child and its parent; light to import, for the parent's sake."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from diskwright._values import Struct
from diskwright.model.cost import ReadingCost
from diskwright.model.guest import GuestFacts, Section, Unread

if TYPE_CHECKING:
    from diskwright.model.examined import Examined

# What may be wished for: packages, and the files below one folder
PACKAGES = "packages"
CONFIGURATION = "configuration"
FILES = "files"
BELOW = {CONFIGURATION: "/etc", FILES: "/"}
NBD, FILE = "nbd", "file"  # what the inherited descriptor is


class Answer(Struct, frozen=True):
    """`cost` stands beside the facts: these are the same whenever the same disk is read."""

    facts: GuestFacts
    cost: ReadingCost | None = None


def nothing_read(reason: str) -> GuestFacts:
    """Every section is unread, for one reason."""
    return GuestFacts(unread=tuple(Unread(section, reason) for section in Section))


def nothing_examined(
    reason: str, wishes: Sequence[str], facts: GuestFacts | None = None
) -> Examined:
    """What was wished for is unread, and without `facts` they are too."""
    # Not above: who reads the facts alone needs none of it
    from diskwright.model.examined import Examined, FileListing, Software, Unlisted

    software = Software(unread=(reason,)) if PACKAGES in wishes else None
    below = next((BELOW[wish] for wish in wishes if wish in BELOW), None)
    files = FileListing(below, unread=(Unlisted(below, reason),), end=below) if below else None
    return Examined(facts or nothing_read(reason), software, files)
