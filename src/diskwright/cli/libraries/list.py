"""diskwright library list."""

from __future__ import annotations

import click

from diskwright.cli.options import output_option
from diskwright.cli.session import Session, path_text


@click.command(
    "list",
    epilog="""\b
Examples:
  diskwright library list
  diskwright library list --output json""",
)
@output_option
@click.pass_obj
def command(session: Session) -> None:
    """List the libraries of this workstation; the default one is marked."""
    from diskwright.model.codec import encode

    session.command = "library list"
    known = session.open().libraries()
    width = max((len(one.name) for one in known), default=0)
    lines = [
        f"{one.name:<{width}}  {path_text(one.url)}{'  (default)' if one.default else ''}"
        for one in known
    ]
    nothing = "No library is known here. Make one: diskwright library init NAME PATH"
    session.say("\n".join(lines) or nothing)
    session.results += [{"image": None, "library": encode(one), "error": None} for one in known]
