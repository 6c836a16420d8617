"""Servers and volumes of this workstation: what was made of private images, to be booted here."""

from __future__ import annotations

import os
from enum import StrEnum

from diskwright._values import Struct


class ServerKind(StrEnum):
    """A server is made of a system disk or a full-server image, a volume of a data disk image."""

    SERVER = "server"
    VOLUME = "volume"


class ServerBase(Struct, frozen=True):
    """What an overlay reads: an object of a library, in the state that it had. It never changes."""

    path: str
    format: str
    size: int
    modified_us: int  # microseconds since 1970
    object_digest: str  # as its manifest says it


class ServerDisk(Struct, frozen=True):
    """`base` is None where the disk is whole by itself."""

    file: str  # its name in the server's folder
    format: str
    virtual_size: int
    digest: str  # dw1 of what it was made of
    data: bool = False
    name: str = ""
    base: ServerBase | None = None


class Server(Struct, frozen=True):
    """`folder` is where it lies now; it is not written down, as it may move."""

    id: str  # UUID version 7
    name: str
    kind: ServerKind
    library: str  # its id
    url: str
    image: str
    image_name: str
    created: str  # YYYY-MM-DDTHH:MM:SSZ
    who: str
    memory_mib: int = 0  # 0: the image does not say
    architecture: str = ""
    boot_mode: str = ""
    os_type: str = ""
    nic_multiqueue: bool = False
    sriov: bool = False
    disks: tuple[ServerDisk, ...] = ()
    use: str = ""  # the key in its library that keeps its image; empty: it does not need it
    folder: str = ""

    @property
    def quick(self) -> bool:
        """Whether it stands on the library's own data."""
        return any(disk.base is not None for disk in self.disks)

    @property
    def virtual_size(self) -> int:
        return sum(disk.virtual_size for disk in self.disks)

    def path(self, disk: ServerDisk) -> str:
        return os.path.join(self.folder, disk.file)


class ServerMade(Struct, frozen=True):
    """`note` says why it was not provisioned quickly, where its image is for that.

    With `dry_run` what would be made: no disk of it is there.
    """

    server: Server
    note: str = ""
    dry_run: bool = False


class ServerDeleted(Struct, frozen=True):
    """`kept` says why its image is still said to be in use: a later list or create tries again."""

    server: Server
    kept: str = ""
    dry_run: bool = False


class Use(Struct, frozen=True):
    """`T/uses/<image id>/<server id>.json`: a server stands on this image's data."""

    server: str
    name: str
    host: str
    time: str
    who: str
    v: int = 1
