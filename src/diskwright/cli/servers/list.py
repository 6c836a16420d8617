"""diskwright server list, diskwright volume list."""

from __future__ import annotations

import click

from diskwright.cli.options import output_option
from diskwright.cli.session import Session
from diskwright.model.server import ServerKind


@click.command(
    "list",
    epilog="""\b
Examples:
  diskwright server list
  diskwright server list --output json""",
)
@output_option
@click.pass_obj
def command(session: Session) -> None:
    """List the servers of this workstation. What killed runs left of some is removed."""
    _list(session, ServerKind.SERVER)


@click.command(
    "list",
    epilog="""\b
Examples:
  diskwright volume list
  diskwright volume list --output json""",
)
@output_option
@click.pass_obj
def volume(session: Session) -> None:
    """List the volumes of this workstation. What killed runs left of some is removed."""
    _list(session, ServerKind.VOLUME)


def _list(session: Session, kind: ServerKind) -> None:
    from diskwright.report.servers import server_value, servers_table

    session.command = f"{kind.value} list"
    found = session.open().servers(kind)
    session.say(servers_table(found, kind=kind))
    session.results += [
        {"image": one.image, "server": server_value(one), "error": None} for one in found
    ]
