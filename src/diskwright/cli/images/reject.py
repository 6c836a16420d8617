"""diskwright image reject."""

from __future__ import annotations

from typing import Any

import click

from diskwright.cli.images.changed import tell_change
from diskwright.cli.images.options import image_argument, library_options, opened
from diskwright.cli.options import output_option
from diskwright.cli.session import Session


@click.command(
    "reject",
    epilog="""\b
Examples:
  diskwright image list --visibility shared
  diskwright image reject web""",
)
@image_argument
@click.option("--dry-run", is_flag=True, help="Say what would change.")
@library_options
@output_option
@click.pass_obj
def command(session: Session, /, image: str, dry_run: bool, at: dict[str, Any], **s3: Any) -> None:
    """Don't use IMAGE, which another's library offers to us. It can be accepted later."""
    session.command = "image reject"
    with opened(session, at, s3) as library, session.watched(False) as (_, cancel):
        made = library.reject(image, dry_run=dry_run, cancel=cancel)
    tell_change(session, image, made)
