"""What the commands of servers and volumes share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import click

from diskwright.cli.images.options import as_typed
from diskwright.model.server import ServerKind

Completer: TypeAlias = Callable[[click.Context, click.Parameter, str], list[str]]


def server_names(kind: ServerKind) -> Completer:
    def complete(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
        from diskwright.app import Diskwright
        from diskwright.app.servers import server_folders
        from diskwright.config import load
        from diskwright.errors import DiskwrightError

        try:
            found = server_folders(Diskwright(load()).settings).all()
        except DiskwrightError:
            return []  # the shell has no place for what went wrong; the command itself will say it
        names = [one.name for one in found if one.kind is kind]
        return [as_typed(name) for name in names if name.startswith(incomplete)]

    return complete
