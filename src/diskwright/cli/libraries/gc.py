"""diskwright library gc."""

from __future__ import annotations

from typing import Any

import click

from diskwright.cli.asking import check_terminal, confirmed
from diskwright.cli.images.options import library_options, opened
from diskwright.cli.options import output_option, progress_option
from diskwright.cli.session import Session
from diskwright.cli.uploads import AgeType
from diskwright.model.care import ORPHAN_GRACE_S, TRASH_GRACE_S


@click.command(
    "gc",
    epilog="""\b
Examples:
  diskwright library gc --dry-run
  diskwright library gc --yes
  diskwright library gc --grace 30d --orphan-grace 7d""",
)
@click.option(
    "--grace", type=AgeType(), metavar="AGE", help="How long an image stays in the trash [7d]."
)
@click.option(
    "--orphan-grace",
    type=AgeType(),
    metavar="AGE",
    help="How long what belongs to no image stays: longer than any upload takes [24h].",
)
@click.option(
    "--unproven",
    is_flag=True,
    help="Remove also what may be an image whose manifest is lost: check says which.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be removed.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@library_options
@progress_option
@output_option
@click.pass_obj
def command(
    session: Session,
    /,
    grace: int | None,
    orphan_grace: int | None,
    unproven: bool,
    dry_run: bool,
    yes: bool,
    progress: bool | None,
    at: dict[str, Any],
    **s3: Any,
) -> None:
    """Remove for ever: images that are in the trash for long enough, what killed runs left, and
    notes of changes that nobody needs any more.

    An image that a server stands on, or another image rests on, stays. Exit code 15, or 13 in a
    bucket, where the library can't be written.
    """
    from diskwright.errors import OutputNotWritable
    from diskwright.model.codec import encode
    from diskwright.report.library_care import collected_text

    session.command = "library gc"
    if not (dry_run or yes):
        check_terminal()
    grace_s = TRASH_GRACE_S if grace is None else grace
    orphan_grace_s = ORPHAN_GRACE_S if orphan_grace is None else orphan_grace
    with opened(session, at, s3) as library, session.watched(progress) as (bar, cancel):

        def collect(dry_run: bool) -> Any:
            return library.gc(
                grace_s=grace_s,
                orphan_grace_s=orphan_grace_s,
                unproven=unproven,
                dry_run=dry_run,
                progress=bar,
                cancel=cancel,
            )

        made = collect(dry_run or not yes)
        if made.anything and not (dry_run or yes):
            confirmed(session, collected_text(made), "Remove it?")
            made = collect(False)
    session.say(collected_text(made))
    if made.failed:
        session.failures.append(OutputNotWritable("the library", made.failed[0].why))
    session.results.append({"image": None, "collected": encode(made), "error": None})
