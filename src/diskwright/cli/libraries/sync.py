"""diskwright library sync."""

from __future__ import annotations

from typing import Any

import click

from diskwright.cli.images.options import library_options, opened
from diskwright.cli.libraries.synced import tell_synced
from diskwright.cli.options import output_option
from diskwright.cli.session import Session


@click.command(
    "sync",
    epilog="""\b
Examples:
  diskwright library sync
  diskwright library sync --library team --key local:kek.json""",
)
@library_options
@output_option
@click.pass_obj
def command(session: Session, /, at: dict[str, Any], **s3: Any) -> None:
    """Read everything that the library lists, and tell what others changed.

    Every command reads what was changed since the last one; this also finds what no hint tells.
    """
    session.command = "library sync"
    with opened(session, at, s3) as library, session.watched(False) as (_, cancel):
        made = library.sync(cancel=cancel)
    tell_synced(session, made)
