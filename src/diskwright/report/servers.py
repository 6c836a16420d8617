"""Servers and volumes of this workstation as text and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from diskwright.model import codec
from diskwright.model.server import Server, ServerDeleted, ServerDisk, ServerKind, ServerMade
from diskwright.model.text import printable
from diskwright.model.units import format_size
from diskwright.report.columns import cells, filled

_KEY_WIDTH = 14


def servers_table(servers: Sequence[Server], *, kind: ServerKind) -> str:
    if not servers:
        image = "IMAGE" if kind is ServerKind.SERVER else "DATA-DISK-IMAGE"
        return f"No {kind.value} is here. Make one: diskwright {kind.value} create --image {image}"
    titles = ["NAME", "ID", "IMAGE", "SIZE", "DISKS", "CREATED"]
    rows = [
        [
            *map(printable, (one.name, one.id, one.image_name or one.image)),
            format_size(one.virtual_size),
            f"{len(one.disks)}, quick" if one.quick else str(len(one.disks)),
            one.created[:10],
        ]
        for one in servers
    ]
    widths = [max(map(cells, column)) for column in zip(titles, *rows, strict=True)]
    return "\n".join("  ".join(map(filled, row, widths)).rstrip() for row in (titles, *rows))


def server_text(server: Server) -> str:
    """One attribute a line; of each disk its file, and what it stands on."""
    memory = f"{server.memory_mib} MiB" if server.memory_mib else ""
    rows = [
        ("name", server.name),
        ("id", server.id),
        ("kind", server.kind.value),
        ("image", f"{server.image_name} ({server.image})" if server.image_name else server.image),
        ("library", f"{server.url} ({server.library})"),
        ("memory", memory),
        ("architecture", server.architecture),
        ("boots by", server.boot_mode),
        ("system", server.os_type),
        ("multi-queue", "on" if server.nic_multiqueue else ""),
        ("SR-IOV", "on" if server.sriov else ""),
        ("in use", f"its image, by {server.use}" if server.use else ""),
        ("created", f"{server.created} by {server.who}"),
        ("folder", server.folder),
    ]
    for number, disk in enumerate(server.disks):
        rows += [(f"disk {number}", line) for line in _disk_lines(disk)]
    return "\n".join(
        f"{key:<{_KEY_WIDTH}}{printable(value)}".rstrip() for key, value in rows if value
    )


def _disk_lines(disk: ServerDisk) -> list[str]:
    size = f"{format_size(disk.virtual_size)} ({disk.virtual_size} bytes)"
    name = f", {disk.name}" if disk.name else ""
    lines = [f"{disk.file}: {disk.format}, {size}{name}", f"made of dw1 {disk.digest}"]
    if disk.base is not None:
        lines.append(f"over {disk.base.path} ({disk.base.format}), which never changes")
    return lines


def made_text(made: ServerMade) -> str:
    server = made.server
    what = f"{server.kind.value} {printable(server.name)}"
    image = printable(server.image_name or server.image)
    if made.dry_run:
        how = "by overlays" if server.use else "on disks of its own"
        return f"{what} would be made of image {image}, {how}"
    how = "quickly, over its data" if server.quick else "on disks of its own"
    return f"{what} ({server.id}): made of image {image}, {how}, in {printable(server.folder)}"


def deleted_text(deleted: ServerDeleted) -> str:
    what = f"{deleted.server.kind.value} {printable(deleted.server.name)} ({deleted.server.id})"
    if deleted.dry_run:
        return f"{what} would be deleted, with its disks"
    if deleted.kept:
        why = printable(deleted.kept)
        return f"{what}: deleted; that its image is in use will be taken back later ({why})"
    return f"{what}: deleted, with its disks"


def flattened_text(server: Server, *, dry_run: bool) -> str:
    what = f"{server.kind.value} {printable(server.name)} ({server.id})"
    if dry_run:
        return f"{what} would get disks of its own"
    if server.use:
        return f"{what}: its disks are its own; that its image is in use will be taken back later"
    return f"{what}: its disks are its own, and its image is in use by it no more"


def server_value(server: Server) -> dict[str, Any]:
    """The fields of `Server`, and of each disk its path."""
    value: dict[str, Any] = codec.encode(server)
    for disk, told in zip(server.disks, value["disks"], strict=True):
        told["path"] = server.path(disk) if server.folder else ""
    return {**value, "quick": server.quick, "virtual_size": server.virtual_size}
