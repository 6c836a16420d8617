"""diskwright library add."""

from __future__ import annotations

from typing import Any

import click

from diskwright.cli.libraries.told import kept_s3_options, tell_library
from diskwright.cli.options import not_empty, output_option
from diskwright.cli.session import Session


@click.command(
    "add",
    epilog="""\b
Examples:
  diskwright library add team s3://images/team""",
)
@click.argument("name", metavar="NAME", callback=not_empty)
@click.argument("url", metavar="PATH|URL", callback=not_empty)
@kept_s3_options
@output_option
@click.pass_obj
def command(session: Session, /, name: str, url: str, **s3: Any) -> None:
    """Add a library that is there already to this workstation's list, as NAME."""
    session.command = "library add"
    app = session.open(s3=s3)
    with session.watched(False) as (_, cancel):
        known = app.add_library(name, url, s3=s3, cancel=cancel)
    tell_library(session, known, "added")
