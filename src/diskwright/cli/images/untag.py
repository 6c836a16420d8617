"""diskwright image untag."""

from __future__ import annotations

from typing import Any

import click

from diskwright.cli.images.changed import tell_change
from diskwright.cli.images.options import image_argument, library_options, opened, tags_of_image
from diskwright.cli.options import output_option
from diskwright.cli.session import Session


@click.command(
    "untag",
    epilog="""\b
Examples:
  diskwright image untag web stage
  diskwright image untag web stage team --dry-run""",
)
@image_argument
@click.argument("names", metavar="NAME...", nargs=-1, required=True, shell_complete=tags_of_image)
@click.option("--dry-run", is_flag=True, help="Say what would change.")
@library_options
@output_option
@click.pass_obj
def command(
    session: Session,
    /,
    image: str,
    names: tuple[str, ...],
    dry_run: bool,
    at: dict[str, Any],
    **s3: Any,
) -> None:
    """Take tags off IMAGE, by their names."""
    session.command = "image untag"
    with opened(session, at, s3) as library, session.watched(False) as (_, cancel):
        made = library.tag(image, {}, removed=names, dry_run=dry_run, cancel=cancel)
    tell_change(session, image, made)
