"""diskwright image unshare."""

from __future__ import annotations

from typing import Any

import click

from diskwright.cli.images.changed import tell_change, tell_failure
from diskwright.cli.images.options import account_names, images_argument, library_options, opened
from diskwright.cli.options import not_empty, output_option
from diskwright.cli.session import Session
from diskwright.errors import Cancelled, DiskwrightError


@click.command(
    "unshare",
    epilog="""\b
Examples:
  diskwright image unshare web --from lab
  diskwright image unshare web --from lab --dry-run""",
)
@images_argument
@click.option(
    "--from",
    "account",
    metavar="ACCOUNT",
    required=True,
    callback=not_empty,
    shell_complete=account_names,
    help="Who it was shared with: name, id, or FILE.pub.",
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
    """Take each IMAGE back from ACCOUNT: from now on they can't open it anew.

    Whoever has opened it may have kept its data key or its disk: docs/sharing.md says what to do.
    """
    session.command = "image unshare"
    with opened(session, at, s3) as library, session.watched(False) as (_, cancel):
        for image in images:
            try:
                made = library.unshare(image, account, dry_run=dry_run, cancel=cancel)
            except Cancelled:
                raise
            except DiskwrightError as error:
                tell_failure(session, image, error)
            else:
                tell_change(session, image, made)
