"""diskwright image download."""

from __future__ import annotations

from typing import Any

import click

from diskwright.cli.images.delivered import form_options, tell_delivered
from diskwright.cli.images.options import image_argument, library_options, opened
from diskwright.cli.options import image_path, output_option, progress_option
from diskwright.cli.session import Session
from diskwright.model.image import ImageFormat


@click.command(
    "download",
    short_help="Fetch an image into a file, its SHA-256 beside it.",
    epilog="""\b
Examples:
  diskwright image download web web.qcow2
  diskwright image download web web.vmdk -O vmdk --verify
  diskwright image download web-sealed web.dws --sealed
  diskwright image download shop shop.qcow2         (shop-1.qcow2, shop-2.qcow2)
  sha256sum -c web.qcow2.sha256""",
)
@image_argument
@click.argument("file", metavar="FILE", callback=image_path)
@form_options
@library_options
@progress_option
@output_option
@click.pass_obj
def command(
    session: Session,
    /,
    image: str,
    file: str,
    output_format: str | None,
    sealed: bool,
    disk: int | None,
    verify: bool,
    force: bool,
    at: dict[str, Any],
    progress: bool | None,
    **s3: Any,
) -> None:
    """Fetch IMAGE into FILE, verified, and its SHA-256 into FILE.sha256.

    Without -O it has the format that is stored. Of a full-server image every disk comes, with its
    number in the name, unless --disk chooses one.
    """
    session.command = "image download"
    with opened(session, at, s3) as library, session.watched(progress) as (bar, cancel):
        made = library.download(
            image,
            file,
            disk=disk,
            output_format=ImageFormat(output_format) if output_format else None,
            sealed=sealed,
            verify=verify,
            force=force,
            progress=bar,
            cancel=cancel,
        )
    tell_delivered(session, image, made)
