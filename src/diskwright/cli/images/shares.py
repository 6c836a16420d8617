"""diskwright image shares."""

from __future__ import annotations

from typing import Any

import click

from diskwright.cli.images.options import image_names, library_options, opened
from diskwright.cli.options import not_empty, output_option
from diskwright.cli.session import Session


@click.command(
    "shares",
    epilog="""\b
Examples:
  diskwright image shares
  diskwright image shares web --output json""",
)
@click.argument(
    "image",
    metavar="[IMAGE]",
    required=False,
    callback=not_empty,
    shell_complete=image_names,
)
@library_options
@output_option
@click.pass_obj
def command(session: Session, /, image: str | None, at: dict[str, Any], **s3: Any) -> None:
    """Tell who our images are shared with and what they said, and what others share with us.

    An account that may not write at our library answers all the same: it stays pending here.
    """
    from diskwright.report.sharing import given_value, received_value, shares_text

    session.command = "image shares"
    with opened(session, at, s3) as library, session.watched(False) as (_, cancel):
        found = library.shares(image, cancel=cancel)
    session.say(shares_text(found))
    session.results += [
        {"image": one.image, "given": given_value(one), "error": None} for one in found.given
    ]
    session.results += [
        {"image": one.id, "received": received_value(one), "error": None} for one in found.received
    ]
