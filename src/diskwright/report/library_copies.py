"""What was replicated, downloaded or exported, as text."""

from __future__ import annotations

from diskwright.model.outcome_copies import Delivered, Replica
from diskwright.model.text import printable
from diskwright.model.units import format_size
from diskwright.report.library_made import created_text
from diskwright.report.library_words import called

_WAYS = {
    "copied": "its bytes stay as they are",
    "streamed": "its data passes through this machine",
    "quick": "it is written for a quick start",
}


def replica_text(made: Replica) -> str:
    """What was made, or with a dry run would be."""
    if not made.dry_run:
        return created_text(made.entry)
    how = ", ".join(dict.fromkeys(_WAYS[way] for way in made.ways))
    form = "sealed" if made.entry.sealed else "plain"
    return printable(
        f"image {called(made.entry)}: would be made at {made.library}, {form}; {how} "
        "(--dry-run: nothing was done)"
    )


def delivered_text(made: Delivered) -> str:
    """Where it is, in which form, and its digest."""
    form = "sealed" if made.sealed else made.format
    disk = f"disk {made.number} of image {printable(made.name or made.image)}"
    if made.dry_run:
        return f"{disk}: would be put at {printable(made.target)}, {form} (--dry-run)"
    verified = ", read back and verified" if made.verified else ""
    return (
        f"{disk}: {printable(made.target)}, {form}, {format_size(made.size)}{verified}\n"
        f"sha256 {made.sha256} ({printable(made.digest_target)})"
    )
