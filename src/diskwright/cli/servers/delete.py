"""diskwright server delete, diskwright volume delete."""

from __future__ import annotations

import sys

import click

from diskwright.cli.options import output_option
from diskwright.cli.servers.options import server_names
from diskwright.cli.session import Session
from diskwright.model.server import ServerKind

_dry_run = click.option("--dry-run", is_flag=True, help="Say what would be deleted.")
_yes = click.option("--yes", is_flag=True, help="Do not ask.")


@click.command(
    "delete",
    epilog="""\b
Examples:
  diskwright server delete web-test
  diskwright server delete web-test web-test-2 --yes""",
)
@click.argument(
    "servers",
    metavar="SERVER...",
    nargs=-1,
    required=True,
    shell_complete=server_names(ServerKind.SERVER),
)
@_dry_run
@_yes
@output_option
@click.pass_obj
def command(session: Session, /, servers: tuple[str, ...], dry_run: bool, yes: bool) -> None:
    """Delete each SERVER with its disks, for good. Its image is not touched.

    One that runs is refused.
    """
    _delete(session, ServerKind.SERVER, servers, dry_run=dry_run, yes=yes)


@click.command(
    "delete",
    epilog="""\b
Examples:
  diskwright volume delete scratch
  diskwright volume delete scratch --dry-run""",
)
@click.argument(
    "volumes",
    metavar="VOLUME...",
    nargs=-1,
    required=True,
    shell_complete=server_names(ServerKind.VOLUME),
)
@_dry_run
@_yes
@output_option
@click.pass_obj
def volume(session: Session, /, volumes: tuple[str, ...], dry_run: bool, yes: bool) -> None:
    """Delete each VOLUME with its disk, for good. Its image is not touched."""
    _delete(session, ServerKind.VOLUME, volumes, dry_run=dry_run, yes=yes)


def _delete(
    session: Session, kind: ServerKind, wanted: tuple[str, ...], *, dry_run: bool, yes: bool
) -> None:
    """All of them are found before the first one goes."""
    from diskwright.report.servers import deleted_text, server_value

    session.command = f"{kind.value} delete"
    app = session.open()
    found = dict.fromkeys(app.server(one, kind) for one in wanted)
    if not (dry_run or yes):
        _ask(session, kind, [f"{one.name} ({one.id})" for one in found])
    for one in found:
        deleted = app.delete_server(one.id, kind, dry_run=dry_run)
        session.say(deleted_text(deleted))
        session.results.append(
            {
                "image": one.image,
                "server": server_value(deleted.server),
                "kept": deleted.kept,
                "dry_run": dry_run,
                "error": None,
            }
        )


def _ask(session: Session, kind: ServerKind, names: list[str]) -> None:
    from diskwright.errors import UsageError
    from diskwright.model.text import printable

    if not sys.stdin.isatty():
        raise UsageError("there is no terminal to ask on", "add --yes, or see first with --dry-run")
    for name in names:
        click.echo(f"{kind.value} {printable(name)}", err=True)
    with session.cancel.interrupting():
        click.confirm("Delete with all data?", abort=True, err=True)
