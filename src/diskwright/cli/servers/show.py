"""diskwright server show, diskwright volume show."""

from __future__ import annotations

import click

from diskwright.cli.options import output_option
from diskwright.cli.servers.options import server_names
from diskwright.cli.session import Session
from diskwright.model.server import ServerKind


@click.command(
    "show",
    epilog="""\b
Examples:
  diskwright server show web
  diskwright server show web --output json | jq -r .results[0].server.disks[0].path""",
)
@click.argument("server", metavar="SERVER", shell_complete=server_names(ServerKind.SERVER))
@output_option
@click.pass_obj
def command(session: Session, /, server: str) -> None:
    """Tell all of SERVER: its disks, what they stand on, where it came from."""
    _show(session, ServerKind.SERVER, server)


@click.command(
    "show",
    epilog="""\b
Examples:
  diskwright volume show scratch
  diskwright volume show scratch --output json""",
)
@click.argument("volume", metavar="VOLUME", shell_complete=server_names(ServerKind.VOLUME))
@output_option
@click.pass_obj
def volume(session: Session, /, volume: str) -> None:
    """Tell all of VOLUME: its disk, what it stands on, where it came from."""
    _show(session, ServerKind.VOLUME, volume)


def _show(session: Session, kind: ServerKind, wanted: str) -> None:
    from diskwright.report.servers import server_text, server_value

    session.command = f"{kind.value} show"
    found = session.open().server(wanted, kind)
    session.say(server_text(found))
    session.results.append({"image": found.image, "server": server_value(found), "error": None})
