"""The servers and volumes of this workstation, once they are made."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from diskwright.app.adapters import Adapters
from diskwright.config import Settings
from diskwright.model.nulls import NeverCancelled, NullProgress
from diskwright.model.server import Server, ServerDeleted, ServerKind
from diskwright.ports import CancelToken, Progress

if TYPE_CHECKING:
    from diskwright.adapters.server_folder import ServerFolders


def server_folders(settings: Settings) -> ServerFolders:
    from diskwright.adapters.server_folder import ServerFolders

    return ServerFolders(os.path.join(settings.data_dir, "servers"))


class ServersVerbs:
    """Methods of `Diskwright`. `kind` None: servers and volumes. `Library.create_server` makes
    them."""

    settings: Settings
    adapters: Adapters

    def servers(self, kind: ServerKind | None = None) -> tuple[Server, ...]:
        """In the order of their making."""
        from diskwright.ops.library.server_ends import listed

        return listed(server_folders(self.settings), kind, self.adapters.store)

    def server(self, wanted: str, kind: ServerKind | None = None) -> Server:
        """By id, name or unique prefix of an id. Raises ServerNotFound, ServerAmbiguous."""
        from diskwright.ops.library.server_ends import find_server

        return find_server(server_folders(self.settings), wanted, kind)

    def delete_server(
        self, wanted: str, kind: ServerKind | None = None, *, dry_run: bool = False
    ) -> ServerDeleted:
        """With all its disks. Raises ServerNotFound, ServerAmbiguous, Locked while it is in use."""
        from diskwright.ops.library.server_ends import delete

        return delete(
            server_folders(self.settings),
            wanted,
            kind,
            store_of=self.adapters.store,
            dry_run=dry_run,
        )

    def flatten_server(
        self,
        wanted: str,
        kind: ServerKind | None = None,
        *,
        dry_run: bool = False,
        progress: Progress | None = None,
        cancel: CancelToken | None = None,
    ) -> Server:
        """Its overlays become disks of its own; its image is in use no more.

        Raises UsageError where none of its disks is an overlay, SourceChanged, Locked.
        """
        from diskwright.ops.library.flatten import FlattenTools, flatten

        tools = FlattenTools(
            server_folders(self.settings),
            self.adapters.local_tools(cancel),
            lambda folder: self.adapters.opener({"allow_backing_under": folder}, cancel=cancel),
            self.adapters.store,
        )
        return flatten(
            wanted,
            kind,
            tools=tools,
            dry_run=dry_run,
            progress=progress or NullProgress(),
            cancel=cancel or NeverCancelled(),
        )
