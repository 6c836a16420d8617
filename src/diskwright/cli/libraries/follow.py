"""diskwright library follow."""

from __future__ import annotations

from typing import Any

import click

from diskwright.cli.images.options import library_names
from diskwright.cli.libraries.told import kept_s3_options, tell_library
from diskwright.cli.options import not_empty, output_option
from diskwright.cli.session import Session


@click.command(
    "follow",
    epilog="""\b
Examples:
  diskwright library follow s3://partner/images --key receiver:me.json --name partner
  diskwright library follow s3://partner/images --key receiver:me.json \\
      --endpoint-url https://obs.eu-de.otc.t-systems.com --credentials-profile partner""",
)
@click.argument("url", metavar="PATH|URL", callback=not_empty)
@click.option(
    "--key",
    metavar="receiver:FILE",
    required=True,
    callback=not_empty,
    help="Our key: its public half is the account that images are shared with.",
)
@click.option(
    "--name", metavar="NAME", callback=not_empty, help="What it is called here (default: its end)."
)
@click.option(
    "--library",
    metavar="NAME",
    callback=not_empty,
    shell_complete=library_names,
    help="Our own library that shows what is offered (default: as everywhere).",
)
@kept_s3_options
@output_option
@click.pass_obj
def command(
    session: Session, /, url: str, key: str, name: str | None, library: str | None, **s3: Any
) -> None:
    """Receive what another's library at URL offers to the account of our key.

    Our own library then lists it, pending: see diskwright image accept.
    """
    session.command = "library follow"
    app = session.open(s3=s3)
    with session.watched(False) as (_, cancel):
        known = app.follow_library(url, key=key, name=name, into=library, s3=s3, cancel=cancel)
    tell_library(session, known, "followed")
