"""create of servers and volumes: a method of `Library`."""

from __future__ import annotations

import socket
from functools import partial
from typing import TYPE_CHECKING

from diskwright.app.library.opening import OpenLibrary
from diskwright.app.servers import server_folders
from diskwright.model.nulls import NeverCancelled, NullProgress
from diskwright.model.server import ServerKind, ServerMade
from diskwright.ports import CancelToken, ObjectStore, Progress

if TYPE_CHECKING:
    from diskwright.ports_library import LocalObjects


class ServerVerbs(OpenLibrary):
    """Methods of `Library`."""

    def create_server(
        self,
        image: str,
        *,
        kind: ServerKind = ServerKind.SERVER,
        name: str | None = None,
        memory_mib: int | None = None,
        copy: bool = False,
        verify: bool = False,
        dry_run: bool = False,
        progress: Progress | None = None,
        cancel: CancelToken | None = None,
    ) -> ServerMade:
        """Of a system disk or full-server image a server, of a data disk image a volume: its disks
        are its own, or overlays where the image is for quick provisioning and `copy` is not given.

        `Diskwright.servers`, `.server`, `.delete_server` and `.flatten_server` do the rest. Raises
        UsageError for an image of the other kind, TargetExists for a name in use, KeyMissing,
        DataTampered, IllegalState for an image in the trash.
        """
        from diskwright.ops.library import servers

        place = self.synced(cancel, image=image)
        tools = servers.ServerTools(
            server_folders(self.app.settings),
            self.app.adapters.local_tools(cancel),
            _local(place.store),
            self.app.adapters.store,
            partial(self.source_of, cancel=cancel),
            socket.gethostname(),
        )
        request = servers.ServerRequest(image, kind, name, memory_mib, copy=copy, verify=verify)
        return servers.made(
            place,
            servers.plan(place, request, tools=tools),
            tools=tools,
            dry_run=dry_run,
            progress=progress or NullProgress(),
            cancel=cancel or NeverCancelled(),
        )


def _local(store: ObjectStore) -> LocalObjects | None:
    from diskwright.adapters.directory import DirectoryStore

    return store if isinstance(store, DirectoryStore) else None
