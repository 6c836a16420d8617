"""diskwright server create, diskwright volume create."""

from __future__ import annotations

from typing import Any

import click

from diskwright.cli.images.options import image_names, library_options, opened
from diskwright.cli.images.set import MemoryType, whole_mib
from diskwright.cli.options import not_empty, output_option, progress_option
from diskwright.cli.session import Session
from diskwright.model.server import ServerKind

_image = click.option(
    "--image",
    required=True,
    metavar="IMAGE",
    callback=not_empty,
    shell_complete=image_names,
    help="The image: its id, a unique beginning of one, or its name.",
)
_name = click.option(
    "--name", metavar="NAME", callback=not_empty, help="Its name (default: the image's)."
)
_copy = click.option("--copy", is_flag=True, help="No overlay, also of an image that is for that.")
_verify = click.option("--verify", is_flag=True, help="Read the disks back, and compare digests.")
_dry_run = click.option("--dry-run", is_flag=True, help="Say what would be made.")


@click.command(
    "create",
    epilog="""\b
Examples:
  diskwright server create --image web
  diskwright server create --image web --name web-test --memory 4GiB
  diskwright server create --image web-quick --copy --verify""",
)
@_image
@_name
@click.option(
    "--memory",
    type=MemoryType(),
    metavar="SIZE",
    callback=whole_mib,
    help="Its memory, as 4GiB (default: the image's minimum).",
)
@_copy
@_verify
@_dry_run
@library_options
@progress_option
@output_option
@click.pass_obj
def command(session: Session, /, **options: Any) -> None:
    """Make a server of a system disk or a full-server image.

    Its disks are its own, each part checked against its digest. Of an image for quick provisioning
    they are overlays over its data, ready at once: the image is then in use until the server is
    deleted or flattened.
    """
    _create(session, ServerKind.SERVER, **options)


@click.command(
    "create",
    epilog="""\b
Examples:
  diskwright volume create --image web-data
  diskwright volume create --image web-data --name scratch --dry-run""",
)
@_image
@_name
@_copy
@_verify
@_dry_run
@library_options
@progress_option
@output_option
@click.pass_obj
def volume(session: Session, /, **options: Any) -> None:
    """Make a volume of a data disk image.

    Its disk is its own, or an overlay where the image is for quick provisioning.
    """
    _create(session, ServerKind.VOLUME, **options)


def _create(
    session: Session,
    kind: ServerKind,
    *,
    image: str,
    name: str | None,
    copy: bool,
    verify: bool,
    dry_run: bool,
    at: dict[str, Any],
    progress: bool | None,
    memory: int | None = None,
    **s3: Any,
) -> None:
    from diskwright.report.servers import made_text, server_value

    session.command = f"{kind.value} create"
    with opened(session, at, s3) as library, session.watched(progress) as (bar, cancel):
        made = library.create_server(
            image,
            kind=kind,
            name=name,
            memory_mib=memory,
            copy=copy,
            verify=verify,
            dry_run=dry_run,
            progress=bar,
            cancel=cancel,
        )
    if made.note:
        click.echo(f"diskwright: note: {made.note}", err=True)
    session.say(made_text(made))
    session.results.append(
        {
            "image": image,
            "server": server_value(made.server),
            "note": made.note,
            "dry_run": made.dry_run,
            "error": None,
        }
    )
