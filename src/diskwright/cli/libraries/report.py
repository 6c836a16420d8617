"""diskwright library report."""

from __future__ import annotations

from typing import Any

import click

from diskwright.cli.images.options import library_options, opened
from diskwright.cli.options import not_empty, output_option
from diskwright.cli.session import Session, path_text


@click.command(
    "report",
    epilog="""\b
Examples:
  diskwright library report --html library.html
  diskwright library report --html library.html --library team --key local:kek.json""",
)
@click.option("--html", required=True, metavar="FILE", callback=not_empty, help="The page's file.")
@click.option("--force", is_flag=True, help="Overwrite the file if it exists.")
@library_options
@output_option
@click.pass_obj
def command(session: Session, /, html: str, force: bool, at: dict[str, Any], **s3: Any) -> None:
    """Write one page that needs nothing else: every image, its state, findings, sizes, lineage.

    Those in the trash are on it too. The file appears whole or not at all.
    """
    session.command = "library report"
    with opened(session, at, s3) as library, session.watched(False) as (_, cancel):
        number = library.report_html(html, force=force, cancel=cancel)
    session.say(f"{path_text(html)}: {number} image{'s' * (number != 1)}")
    result = {"image": None, "report": html, "images": number, "error": None}
    session.results.append(result)
