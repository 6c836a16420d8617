"""How servers and volumes are found and removed, and what killed runs left of them."""

from __future__ import annotations

from collections.abc import Callable

from diskwright.errors import (
    DiskwrightError,
    ServerAmbiguous,
    ServerNotFound,
)
from diskwright.model.server import Server, ServerDeleted, ServerKind
from diskwright.model.text import printable
from diskwright.ops.library.place import read_library
from diskwright.ops.library.uses import USES
from diskwright.ports import ObjectStore
from diskwright.ports_library import Servers, ServerWork

_PREFIX = 4  # characters of an id at least
_LISTED = 20


def listed(
    servers: Servers, kind: ServerKind | None, store_of: Callable[[str], ObjectStore]
) -> tuple[Server, ...]:
    """In the order of their making; what killed runs left goes before."""
    sweep(servers, store_of)
    return tuple(one for one in servers.all() if kind is None or one.kind is kind)


def find_server(servers: Servers, wanted: str, kind: ServerKind | None) -> Server:
    """By id, name or unique prefix of an id. Raises ServerNotFound, ServerAmbiguous."""
    there = [one for one in servers.all() if kind is None or one.kind is kind]
    what = f"{kind.value if kind else 'server or volume'} {printable(wanted)}"
    for found in (
        [one for one in there if one.id == wanted],
        [one for one in there if one.name == wanted],
        [one for one in there if len(wanted) >= _PREFIX and one.id.startswith(wanted)],
    ):
        if len(found) == 1:
            return found[0]
        if found:
            names = ", ".join(f"{one.id} ({printable(one.name)})" for one in found[:_LISTED])
            raise ServerAmbiguous(what, names)
    raise ServerNotFound(what)


def delete(
    servers: Servers,
    wanted: str,
    kind: ServerKind | None,
    *,
    store_of: Callable[[str], ObjectStore],
    dry_run: bool,
) -> ServerDeleted:
    """With all its disks; that its image is in use is taken back last. Raises Locked while it runs
    or is worked on, ServerNotFound."""
    server = find_server(servers, wanted, kind)
    if dry_run:
        return ServerDeleted(server, dry_run=True)
    return ServerDeleted(server, finish(servers.take(server.id), store_of))


def sweep(servers: Servers, store_of: Callable[[str], ObjectStore]) -> None:
    """Remove what killed runs left, as far as their libraries are there."""
    for work in servers.unfinished():
        finish(work, store_of)


def finish(work: ServerWork, store_of: Callable[[str], ObjectStore]) -> str:
    """Remove it, its use last. Where that can't be taken back the draft stays for a later sweep,
    and why is told; else the answer is empty."""
    try:
        work.unpublish()
        kept = released(work.server, store_of)
        if not kept:
            work.forget()
    finally:
        work.close()
    return kept


def released(server: Server, store_of: Callable[[str], ObjectStore]) -> str:
    """Take back that it uses its image. Why that can't be done now; empty: it is done."""
    if not server.use:
        return ""
    assert server.use.startswith(USES)
    try:
        store = store_of(server.url)
        if read_library(store).id != server.library:
            return f"another library lies at {server.url}"
        store.delete(server.use)
    except DiskwrightError as error:
        return error.message
    return ""
