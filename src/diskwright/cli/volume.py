"""diskwright volume …"""

from __future__ import annotations

from typing import ClassVar

import click

from diskwright.cli.lazy import LazyGroup


class _VolumeGroup(LazyGroup):
    table: ClassVar = {
        "create": ("servers.create:volume", "Make a volume of a data disk image."),
        "list": ("servers.list:volume", "List the volumes of this workstation."),
        "show": ("servers.show:volume", "Tell all of a volume: its disk, where from."),
        "flatten": ("servers.flatten:volume", "Give a quickly provisioned volume its own disk."),
        "delete": ("servers.delete:volume", "Delete volumes with their disks."),
    }


@click.group("volume", cls=_VolumeGroup, short_help="Volumes of this workstation.")
def command() -> None:
    """Volumes of this workstation, made of data disk images."""
