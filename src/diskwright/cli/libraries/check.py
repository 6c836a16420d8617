"""diskwright library check."""

from __future__ import annotations

from typing import Any

import click

from diskwright.cli.images.options import library_options, opened
from diskwright.cli.options import output_option, progress_option
from diskwright.cli.session import Session


@click.command(
    "check",
    epilog="""\b
Examples:
  diskwright library check
  diskwright library check --sample 10
  diskwright library check --read-data --library team""",
)
@click.option("--read-data", is_flag=True, help="Read all bytes, not a sample.")
@click.option(
    "--sample",
    type=click.FloatRange(0, 100),
    default=1.0,
    metavar="PERCENT",
    help="So much of the data is read, one part of each image at least [1].",
)
@library_options
@progress_option
@output_option
@click.pass_obj
def command(
    session: Session,
    /,
    read_data: bool,
    sample: float,
    progress: bool | None,
    at: dict[str, Any],
    **s3: Any,
) -> None:
    """Check every object against its manifest: that it is there, its size, and a sample of it.

    The parts that are read are drawn anew each time. A damaged image has the status error until a
    check finds it mended. Exit code 12, and `sound` false in JSON, where something is damaged or
    missing.
    """
    from diskwright.errors import DataTampered
    from diskwright.model.codec import encode
    from diskwright.report.library_care import checked_text

    session.command = "library check"
    with opened(session, at, s3) as library, session.watched(progress) as (bar, cancel):
        made = library.check(
            sample_percent=sample, read_data=read_data, progress=bar, cancel=cancel
        )
    session.say(checked_text(made))
    if made.broken:
        first = made.broken[0]
        session.failures.append(DataTampered(first.key or "the library", first.detail))
    told = {"image": None, "checked": encode(made), "sound": not made.broken, "error": None}
    session.results.append(told)
