"""diskwright server …"""

from __future__ import annotations

from typing import ClassVar

import click

from diskwright.cli.lazy import LazyGroup


class _ServerGroup(LazyGroup):
    table: ClassVar = {
        "create": ("servers.create", "Make a server of a system disk or full-server image."),
        "list": ("servers.list", "List the servers of this workstation."),
        "show": ("servers.show", "Tell all of a server: disks, backing files, where from."),
        "flatten": ("servers.flatten", "Give a quickly provisioned server disks of its own."),
        "delete": ("servers.delete", "Delete servers with their disks."),
    }


@click.group("server", cls=_ServerGroup, short_help="Servers of this workstation.")
def command() -> None:
    """Servers of this workstation, made of private images.

    A server's disks are its own: neither deleting nor changing the image touches them. One that was
    provisioned quickly stands on the image's data, which is in use for so long.
    """
