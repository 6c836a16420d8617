"""diskwright image show."""

from __future__ import annotations

from typing import Any

import click

from diskwright.cli.images.options import image_argument, library_options, opened
from diskwright.cli.options import output_option
from diskwright.cli.session import Session


@click.command(
    "show",
    epilog="""\b
Examples:
  diskwright image show web
  diskwright image show 0193f2 --output json""",
)
@image_argument
@click.option("--no-sync", is_flag=True, help="As the catalog here knows it; no store is asked.")
@library_options
@output_option
@click.pass_obj
def command(session: Session, /, image: str, no_sync: bool, at: dict[str, Any], **s3: Any) -> None:
    """Tell all of IMAGE: attributes, disks, tags, who it is shared with, where it came from."""
    from diskwright.report.library import entry_text, entry_value

    session.command = "image show"
    with opened(session, at, s3) as library, session.watched(False) as (_, cancel):
        entry = library.show(image, sync=not no_sync, cancel=cancel)
        base_name = library.name_of(entry.base) if entry.base else None
    session.say(entry_text(entry, base_name=base_name))
    base = {"id": entry.base, "name": base_name} if entry.base else None
    told = {"image": image, "entry": entry_value(entry), "base": base, "error": None}
    session.results.append(told)
