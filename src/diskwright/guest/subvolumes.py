"""Which subvolume of a btrfs is meant: by mount options, by a boot loader's path, as a root."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from diskwright.guest.filesystems.base import GuestFs
from diskwright.guest.filesystems.btrfs import TOP, BtrfsFs
from diskwright.guest.reading import Unreadable
from diskwright.guest.stand_in import UnreadFs

MAX_VIEWS = 64

# Where installers put the root that the kernel's command line then names by rootflags=subvol=
_ROOTS = ("@", "root", "@rootfs", "@root", "rootfs")


def mounted(fs: GuestFs, options: Sequence[str]) -> GuestFs:
    """What mount(8) gives with these options (btrfs(5): subvol=, subvolid=); the last counts."""
    if not isinstance(fs, BtrfsFs):
        return fs
    wanted = [o for o in options if o.startswith(("subvol=", "subvolid="))]
    if not wanted:
        return fs
    kind, _, value = wanted[-1].partition("=")
    try:
        if kind == "subvolid":
            number = int(value, 0) if value.isascii() and value[:18].isalnum() else -1
            return fs.at(number or TOP)
        path = "/".join(part for part in value.split("/") if part)
        found = {one.path: one.number for one in fs.subvolumes()} | {"": TOP}
        if path not in found:
            return UnreadFs(f"there is no subvolume {path}")
        return fs.at(found[path])
    except (Unreadable, ValueError) as error:
        return UnreadFs(f"{wanted[-1]}: {error}")


def path_of(fs: GuestFs) -> str | None:
    """From the top of its btrfs, `@/var`; None where there is no such thing."""
    if not isinstance(fs, BtrfsFs):
        return None
    try:
        return next((one.path for one in fs.subvolumes() if one.number == fs.subvolume), "")
    except Unreadable:
        return None


def views(fs: GuestFs) -> Iterator[GuestFs]:
    """Where a root may be: what is mounted without options, then the subvolumes, likely ones first,
    those that can't be written last: they are snapshots."""
    yield fs
    if not isinstance(fs, BtrfsFs):
        return
    try:
        listed = fs.subvolumes()
    except Unreadable:
        return
    listed = tuple(one for one in listed if one.number != fs.subvolume)

    def likely(path: str) -> int:
        return _ROOTS.index(path) if path in _ROOTS else len(_ROOTS) + path.count("/")

    for one in sorted(listed, key=lambda one: (one.readonly, likely(one.path)))[:MAX_VIEWS]:
        yield fs.at(one.number)


def in_subvolumes(path: str, mounts: Mapping[str, str]) -> Iterator[str]:
    """Where a path from the top of a btrfs is in the guest; `mounts` are its mount points by
    subvolume. GRUB's paths begin at the top, whatever the default subvolume is."""
    for inside in sorted(mounts, key=len, reverse=True):
        if inside and path.startswith(f"/{inside}/"):
            yield mounts[inside].rstrip("/") + path.removeprefix(f"/{inside}")
