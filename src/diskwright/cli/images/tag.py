"""diskwright image tag."""

from __future__ import annotations

from typing import Any

import click

from diskwright.cli.images.changed import tell_change
from diskwright.cli.images.options import (
    image_argument,
    known_tags,
    library_options,
    opened,
    parsed_tags,
)
from diskwright.cli.options import output_option
from diskwright.cli.session import Session


@click.command(
    "tag",
    epilog="""\b
Examples:
  diskwright image tag web stage=prod team=edge
  diskwright image list --tag stage=prod""",
)
@image_argument
@click.argument("tags", metavar="NAME=VALUE...", nargs=-1, required=True, shell_complete=known_tags)
@click.option("--dry-run", is_flag=True, help="Say what would change.")
@library_options
@output_option
@click.pass_obj
def command(
    session: Session,
    /,
    image: str,
    tags: tuple[str, ...],
    dry_run: bool,
    at: dict[str, Any],
    **s3: Any,
) -> None:
    """Put tags on IMAGE; one that it has already gets the new value."""
    session.command = "image tag"
    put = parsed_tags(tags)
    with opened(session, at, s3) as library, session.watched(False) as (_, cancel):
        made = library.tag(image, put, dry_run=dry_run, cancel=cancel)
    tell_change(session, image, made)
