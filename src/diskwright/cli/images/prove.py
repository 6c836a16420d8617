"""diskwright image prove."""

from __future__ import annotations

from typing import Any

import click

from diskwright.cli.images.options import image_argument, library_options, opened
from diskwright.cli.options import output_option, progress_option
from diskwright.cli.session import Session


@click.command(
    "prove",
    epilog="""\b
Examples:
  diskwright image prove web
  diskwright library prune --keep 3 --channel stable""",
)
@image_argument
@library_options
@progress_option
@output_option
@click.pass_obj
def command(
    session: Session, /, image: str, progress: bool | None, at: dict[str, Any], **s3: Any
) -> None:
    """Read the whole of IMAGE back, and note that every disk is what it was made of.

    Each disk is kept as a file in the state folder while it is read. Older versions of its channel
    may go (library prune) once it is proven.
    """
    from diskwright.report.library import entry_value
    from diskwright.report.library_care import proven_text

    session.command = "image prove"
    with opened(session, at, s3) as library, session.watched(progress) as (bar, cancel):
        entry = library.prove(image, progress=bar, cancel=cancel)
    session.say(proven_text(entry))
    session.results.append({"image": image, "entry": entry_value(entry), "error": None})
