"""diskwright image undelete."""

from __future__ import annotations

from typing import Any

import click

from diskwright.cli.images.changed import tell_change
from diskwright.cli.images.options import deleted_image_argument, library_options, opened
from diskwright.cli.options import output_option
from diskwright.cli.session import Session


@click.command(
    "undelete",
    epilog="""\b
Examples:
  diskwright image list --status pending-delete
  diskwright image undelete web
  diskwright image undelete 0193f2 --allow-duplicate""",
)
@deleted_image_argument
@click.option("--allow-duplicate", is_flag=True, help="The name may be another image's now.")
@click.option("--dry-run", is_flag=True, help="Say what would change.")
@library_options
@output_option
@click.pass_obj
def command(
    session: Session,
    /,
    image: str,
    allow_duplicate: bool,
    dry_run: bool,
    at: dict[str, Any],
    **s3: Any,
) -> None:
    """Take IMAGE out of the trash again, by its id or the name that it had."""
    session.command = "image undelete"
    with opened(session, at, s3) as library, session.watched(False) as (_, cancel):
        made = library.undelete(
            image, allow_duplicate=allow_duplicate, dry_run=dry_run, cancel=cancel
        )
    tell_change(session, image, made)
