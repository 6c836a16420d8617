"""diskwright image history."""

from __future__ import annotations

from typing import Any

import click

from diskwright.cli.images.options import image_argument, library_options, opened
from diskwright.cli.options import output_option
from diskwright.cli.session import Session


@click.command(
    "history",
    epilog="""\b
Examples:
  diskwright image history web
  diskwright image history web --output json""",
)
@image_argument
@library_options
@output_option
@click.pass_obj
def command(session: Session, /, image: str, at: dict[str, Any], **s3: Any) -> None:
    """Tell every change of IMAGE, oldest first: when, by whom, what."""
    from diskwright.report.library import change_value, history_text

    session.command = "image history"
    with opened(session, at, s3) as library, session.watched(False) as (_, cancel):
        changes = library.history(image, cancel=cancel)
    session.say(history_text(changes))
    told = [change_value(change) for change in changes]
    session.results.append({"image": image, "changes": told, "error": None})
