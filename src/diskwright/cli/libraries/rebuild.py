"""diskwright library rebuild."""

from __future__ import annotations

from typing import Any

import click

from diskwright.cli.images.options import library_options, opened
from diskwright.cli.libraries.synced import tell_synced
from diskwright.cli.options import output_option
from diskwright.cli.session import Session


@click.command(
    "rebuild",
    epilog="""\b
Examples:
  diskwright library rebuild
  diskwright library rebuild --library team --key local:kek.json""",
)
@library_options
@output_option
@click.pass_obj
def command(session: Session, /, at: dict[str, Any], **s3: Any) -> None:
    """Make the catalog anew from manifests and records. Nothing is lost by it.

    An image whose manifest is lost is told: exit code 12, and `sound` false in JSON.
    """
    session.command = "library rebuild"
    with opened(session, at, s3) as library, session.watched(False) as (_, cancel):
        made = library.rebuild(cancel=cancel)
    tell_synced(session, made)
