"""diskwright library forget."""

from __future__ import annotations

import click

from diskwright.cli.images.options import library_names
from diskwright.cli.options import not_empty, output_option
from diskwright.cli.session import Session


@click.command(
    "forget",
    epilog="""\b
Examples:
  diskwright library forget team""",
)
@click.argument("name", metavar="NAME", callback=not_empty, shell_complete=library_names)
@output_option
@click.pass_obj
def command(session: Session, name: str) -> None:
    """Take NAME off this workstation's list. The library itself stays as it is."""
    session.command = "library forget"
    session.open().forget_library(name)
    session.say(f"library {name}: forgotten here; what is in it stays")
    session.results.append({"image": None, "library": {"name": name}, "error": None})
