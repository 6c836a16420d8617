"""diskwright library init."""

from __future__ import annotations

from typing import Any

import click

from diskwright.cli.libraries.told import kept_s3_options, tell_library
from diskwright.cli.options import not_empty, output_option
from diskwright.cli.session import Session


@click.command(
    "init",
    epilog="""\b
Examples:
  diskwright library init golden ./golden
  diskwright library init team s3://images/team --endpoint-url https://obs.eu-de.otc.t-systems.com
  DISKWRIGHT_LIBRARY=team diskwright image list""",
)
@click.argument("name", metavar="NAME", callback=not_empty)
@click.argument("url", metavar="PATH|URL", callback=not_empty)
@click.option("--public", is_flag=True, help="Its images are for everybody who reads there.")
@kept_s3_options
@output_option
@click.pass_obj
def command(session: Session, /, name: str, url: str, public: bool, **s3: Any) -> None:
    """Make a library at PATH or URL (dir:PATH, s3://BUCKET[/PREFIX]), known here as NAME.

    The first one of this workstation's list is the default.
    """
    session.command = "library init"
    app = session.open(s3=s3)
    with session.watched(False) as (_, cancel):
        known = app.new_library(name, url, public=public, s3=s3, cancel=cancel)
    tell_library(session, known, "made")
