"""Open uploads as text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from diskwright.model.text import printable
from diskwright.model.uploads import AbortedUploads, FoundUpload, ListedUploads, Owner

_WHOSE = {
    Owner.LIVING: "of a run that goes on here",
    Owner.DEAD: "of a dead run of here",
    Owner.UNKNOWN: "of nobody known here",
}


def listed_uploads_text(found: ListedUploads) -> str:
    lines = [*_table(found.uploads)] or [f"{printable(found.target)}: no open uploads"]
    bare = set(found.dead_runs) - {upload.image for upload in found.uploads}
    lines += [f"dead run {image}, without an open upload" for image in sorted(bare)]
    if found.dead_runs:
        lines.append(f"next: diskwright uploads abort --to {printable(found.target)}")
    return "\n".join(lines)


def aborted_uploads_text(made: AbortedUploads) -> str:
    """What was done, or would be; what stays is counted."""
    aborted, cleaned = ("would abort", "would clean up") if made.dry_run else ("aborted", "cleaned")
    lines = [f"{aborted} {line}" for line in _table(made.aborted)]
    lines += [f"{cleaned} dead run {image}" for image in made.cleaned]
    lines += [f"dead run {image} had ended well: its image stays" for image in made.committed]
    if not lines:
        lines.append("nothing to abort")
    if made.kept:
        living = sum(1 for upload in made.kept if upload.owner is Owner.LIVING)
        of_them = f", {living} of them of runs that go on here" if living else ""
        lines.append(f"kept {len(made.kept)} open upload(s){of_them}")
    return "\n".join(lines)


def _table(uploads: Sequence[FoundUpload]) -> Iterable[str]:
    width = max((len(printable(upload.key)) for upload in uploads), default=0)
    for upload in uploads:
        begun = upload.begun or "unknown since when  "
        key = printable(upload.key)
        yield f"{begun}  {key:<{width}}  {_WHOSE[upload.owner]}  {printable(upload.upload_id)}"
