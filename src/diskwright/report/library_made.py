"""What was made of, or changed on, a library's image."""

from __future__ import annotations

from diskwright.model.library import Changed, Entry
from diskwright.model.text import printable
from diskwright.model.units import format_size
from diskwright.report.library_words import KINDS, called


def changed_text(made: Changed) -> str:
    """One line; with a dry run it says so."""
    name = f"image {printable(called(made.entry))} ({made.entry.id})"
    if not made.what:
        return f"{name}: nothing to change"
    if made.dry_run:
        return f"{name}: would change: {printable(made.what)} (--dry-run: nothing was done)"
    return f"{name}: {printable(made.what)}"


def created_text(entry: Entry) -> str:
    """What was made, in which form, and what can be done next."""
    form = "sealed" if entry.sealed else "plain"
    disks = "1 disk" if len(entry.disks) == 1 else f"{len(entry.disks)} disks"
    sizes = f"{format_size(entry.virtual_size)}, stored {format_size(entry.object_size)}"
    return (
        f"image {printable(called(entry))}: {KINDS[entry.kind]}, {form}, {disks}, {sizes}\n"
        f"id {entry.id}\n"
        f"Next: diskwright image show {entry.id}"
    )
