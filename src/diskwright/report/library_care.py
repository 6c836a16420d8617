"""What the care of a library found and did, as text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from diskwright.model import codec
from diskwright.model.care import Checked, Collected, Kept, Pruned, Removed, Version
from diskwright.model.library import Entry
from diskwright.model.text import printable
from diskwright.model.units import format_size
from diskwright.report.library import entry_value
from diskwright.report.library_words import called


def checked_text(made: Checked) -> str:
    """One line an issue; what was looked at comes last."""
    lines = [
        printable(f"{issue.fault.value}: {issue.key or 'the library'}: {issue.detail}")
        for issue in made.issues
    ]
    if len(made.broken) < len(made.issues):
        lines.append("next: diskwright library gc --dry-run")
    looked = (
        f"{made.images} images, {made.objects} objects; read {made.parts} of {made.parts_total}"
        f" parts ({format_size(made.bytes_read)})"
    )
    verdict = "nothing is damaged or missing"
    if made.broken:
        verdict = f"{len(made.broken)} damaged or missing"
    return "\n".join([*lines, f"{looked}: {verdict}"])


def collected_text(made: Collected) -> str:
    verb = "would remove" if made.dry_run else "removed"
    lines = [printable(f"{verb} image {_removed(one)}") for one in made.purged]
    lines += [printable(f"{verb} what is left of image {_removed(one)}") for one in made.orphans]
    for count, what in (
        (made.hints, "old notes of changes"),
        (made.claims, "claims of names that others followed"),
        (made.marks, "marks of aborted runs"),
        (made.uploads, "open uploads that nobody goes on with"),
    ):
        if count:
            lines.append(f"{verb} {count} {what}")
    if not lines:
        lines.append("nothing was removed" if made.failed else "nothing to remove")
    lines += [printable(f"kept {_kept(one)}: {one.why}") for one in made.kept]
    return "\n".join(lines)


def _kept(one: Kept) -> str:
    return f"image {one.name} ({one.image})" if one.name else f"image {one.image}"


def _removed(one: Removed) -> str:
    name = f"{one.name} ({one.image})" if one.name else one.image
    return f"{name}: {one.objects} objects, {format_size(one.size)}"


def pruned_text(made: Pruned) -> str:
    lines = [f"channel {printable(made.channel)}"]
    lines += [f"  {_verb(made, one)} {_version(one)}" for one in made.versions]
    return "\n".join(lines)


def _verb(made: Pruned, version: Version) -> str:
    if not version.goes:
        return "keeps"
    return "would delete" if made.dry_run else "deleted"


def _version(one: Version) -> str:
    return printable(f"{called(one.entry)} ({one.entry.id}, {one.entry.created}): {one.why}")


def pruned_value(made: Pruned) -> dict[str, Any]:
    value: dict[str, Any] = codec.encode(made)
    value["versions"] = list(_versions(made.versions))
    return value


def _versions(versions: Iterable[Version]) -> Iterable[dict[str, Any]]:
    for one in versions:
        yield {"entry": entry_value(one.entry), "goes": one.goes, "why": one.why}


def proven_text(entry: Entry) -> str:
    disks = "1 disk" if len(entry.disks) == 1 else f"{len(entry.disks)} disks"
    return f"image {printable(called(entry))} ({entry.id}): {disks} read back and found whole"
