"""diskwright image accept."""

from __future__ import annotations

from typing import Any

import click

from diskwright.cli.images.changed import tell_change
from diskwright.cli.images.options import image_argument, library_options, opened
from diskwright.cli.options import output_option
from diskwright.cli.session import Session


@click.command(
    "accept",
    epilog="""\b
Examples:
  diskwright image list --visibility shared
  diskwright image accept web""",
)
@image_argument
@click.option("--dry-run", is_flag=True, help="Say what would change.")
@library_options
@output_option
@click.pass_obj
def command(session: Session, /, image: str, dry_run: bool, at: dict[str, Any], **s3: Any) -> None:
    """Use IMAGE, which another's library offers to us: read-only, from where it lies.

    What was accepted is its manifest as it is now: another one in its place is not used.
    """
    session.command = "image accept"
    with opened(session, at, s3) as library, session.watched(False) as (_, cancel):
        made = library.accept(image, dry_run=dry_run, cancel=cancel)
    tell_change(session, image, made)
