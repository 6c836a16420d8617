"""diskwright library default."""

from __future__ import annotations

import click

from diskwright.cli.images.options import library_names
from diskwright.cli.options import not_empty, output_option
from diskwright.cli.session import Session


@click.command(
    "default",
    epilog="""\b
Examples:
  diskwright library default team""",
)
@click.argument("name", metavar="NAME", callback=not_empty, shell_complete=library_names)
@output_option
@click.pass_obj
def command(session: Session, name: str) -> None:
    """NAME is what is meant where no library is named."""
    session.command = "library default"
    session.open().set_default_library(name)
    session.say(f"library {name}: the default")
    session.results.append({"image": None, "library": {"name": name}, "error": None})
