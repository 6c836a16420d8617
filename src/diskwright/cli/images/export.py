"""diskwright image export."""

from __future__ import annotations

from typing import Any

import click

from diskwright.cli.images.delivered import form_options, tell_delivered
from diskwright.cli.images.options import image_argument, library_options, opened
from diskwright.cli.options import not_empty, output_option, progress_option
from diskwright.cli.session import Session
from diskwright.model.image import ImageFormat


@click.command(
    "export",
    short_help="Put an image under a key of a bucket, its SHA-256 beside it.",
    epilog="""\b
Examples:
  diskwright image export web --to s3://transfer/web.qcow2
  diskwright image export web --to s3://transfer/web.vmdk -O vmdk
  diskwright image export web-sealed --to s3://transfer/web.dws --sealed
  diskwright image export web --to dir:/srv/transfer/web.qcow2""",
)
@image_argument
@click.option(
    "--to",
    metavar="TARGET",
    required=True,
    callback=not_empty,
    help="s3://BUCKET/KEY or dir:PATH/FILE, exactly.",
)
@form_options
@click.option("--dry-run", is_flag=True, help="Say what would be put where.")
@library_options
@progress_option
@output_option
@click.pass_obj
def command(
    session: Session,
    /,
    image: str,
    to: str,
    output_format: str | None,
    sealed: bool,
    disk: int | None,
    verify: bool,
    force: bool,
    dry_run: bool,
    at: dict[str, Any],
    progress: bool | None,
    **s3: Any,
) -> None:
    """Put IMAGE at TARGET, verified, and its SHA-256 at TARGET.sha256.

    Without -O it has the format that is stored. Nothing is overwritten without --force.
    """
    session.command = "image export"
    with opened(session, at, s3) as library, session.watched(progress) as (bar, cancel):
        made = library.export(
            image,
            to,
            disk=disk,
            output_format=ImageFormat(output_format) if output_format else None,
            sealed=sealed,
            verify=verify,
            force=force,
            dry_run=dry_run,
            progress=bar,
            cancel=cancel,
        )
    tell_delivered(session, image, made)
