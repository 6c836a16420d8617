"""diskwright server flatten, diskwright volume flatten."""

from __future__ import annotations

import click

from diskwright.cli.options import output_option, progress_option
from diskwright.cli.servers.options import server_names
from diskwright.cli.session import Session
from diskwright.model.server import ServerKind

_dry_run = click.option("--dry-run", is_flag=True, help="Say what would be done.")


@click.command(
    "flatten",
    epilog="""\b
Examples:
  diskwright server flatten web
  diskwright server flatten web --dry-run""",
)
@click.argument("server", metavar="SERVER", shell_complete=server_names(ServerKind.SERVER))
@_dry_run
@progress_option
@output_option
@click.pass_obj
def command(session: Session, /, server: str, dry_run: bool, progress: bool | None) -> None:
    """Give SERVER, which was provisioned quickly, disks of its own, read back and compared.

    Its image is in use by it no more. The server has to be off.
    """
    _flatten(session, ServerKind.SERVER, server, dry_run=dry_run, progress=progress)


@click.command(
    "flatten",
    epilog="""\b
Examples:
  diskwright volume flatten scratch
  diskwright volume flatten scratch --dry-run""",
)
@click.argument("volume", metavar="VOLUME", shell_complete=server_names(ServerKind.VOLUME))
@_dry_run
@progress_option
@output_option
@click.pass_obj
def volume(session: Session, /, volume: str, dry_run: bool, progress: bool | None) -> None:
    """Give VOLUME, which was provisioned quickly, a disk of its own, read back and compared."""
    _flatten(session, ServerKind.VOLUME, volume, dry_run=dry_run, progress=progress)


def _flatten(
    session: Session, kind: ServerKind, wanted: str, *, dry_run: bool, progress: bool | None
) -> None:
    from diskwright.report.servers import flattened_text, server_value

    session.command = f"{kind.value} flatten"
    app = session.open()
    with session.watched(progress) as (bar, cancel):
        made = app.flatten_server(wanted, kind, dry_run=dry_run, progress=bar, cancel=cancel)
    session.say(flattened_text(made, dry_run=dry_run))
    session.results.append(
        {"image": made.image, "server": server_value(made), "dry_run": dry_run, "error": None}
    )
