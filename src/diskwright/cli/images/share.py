"""diskwright image share."""

from __future__ import annotations

from typing import Any

import click

from diskwright.cli.images.changed import tell_change, tell_failure
from diskwright.cli.images.options import account_names, images_argument, library_options, opened
from diskwright.cli.options import not_empty, output_option
from diskwright.cli.session import Session
from diskwright.errors import Cancelled, DiskwrightError


@click.command(
    "share",
    epilog="""\b
Examples:
  diskwright account add lab lab.pub
  diskwright image share web --with lab
  diskwright image share web db --with lab.pub --key local:kek.json""",
)
@images_argument
@click.option(
    "--with",
    "account",
    metavar="ACCOUNT",
    required=True,
    callback=not_empty,
    shell_complete=account_names,
    help="Who is to use it: see diskwright account list, or FILE.pub.",
)
@click.option("--dry-run", is_flag=True, help="Say what would change.")
@library_options
@output_option
@click.pass_obj
def command(
    session: Session,
    /,
    images: tuple[str, ...],
    account: str,
    dry_run: bool,
    at: dict[str, Any],
    **s3: Any,
) -> None:
    """Offer each IMAGE to ACCOUNT: a name of the address book, or the file of a receiver's public
    document. Its data does not move.

    Of a sealed image the data key is wrapped for that account; your own key is not given away.
    The bucket has to let them read: docs/sharing.md. Repeat it where it was cut short.
    """
    session.command = "image share"
    with opened(session, at, s3) as library, session.watched(False) as (_, cancel):
        for image in images:
            try:
                made = library.share(image, account, dry_run=dry_run, cancel=cancel)
            except Cancelled:
                raise
            except DiskwrightError as error:
                tell_failure(session, image, error)
            else:
                tell_change(session, image, made)
