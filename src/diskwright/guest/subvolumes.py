"""Which subvolume of a btrfs is meant: by mount options, by a boot loader's path, as a root."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from diskwright.guest.filesystems.base import GuestFs
from diskwright.guest.filesystems.btrfs import BtrfsFs
from diskwright.guest.reading import Unreadable
from diskwright.guest.stand_in import UnreadFs
from diskwright.model.volumes import root_flags, subvolume_number, subvolume_options

MAX_VIEWS = 64

# Where installers put the root that the kernel's command line then names by rootflags=subvol=
_ROOTS = ("@", "root", "@rootfs", "@root", "rootfs")


def mounted(fs: GuestFs, options: Sequence[str]) -> GuestFs:
    """What mount(8) gives with these options (btrfs(5): subvol=, subvolid=)."""
    if not isinstance(fs, BtrfsFs):
        return fs
    wanted = subvolume_options(options)
    if not wanted:
        return fs
    try:
        found = {_number(fs, option) for option in wanted}
        number = found.pop()
        if number is None or found:  # the kernel wants both names to mean the same
            return UnreadFs(f"{','.join(wanted)}: there is no such subvolume")
        return fs.at(number)
    except (Unreadable, ValueError) as error:
        return UnreadFs(f"{','.join(wanted)}: {error}")


def _number(fs: BtrfsFs, option: str) -> int | None:
    kind, _, value = option.partition("=")
    if kind == "subvolid":
        return subvolume_number(value)
    return fs.find(value)


def of_kernel(view: GuestFs, command_line: str) -> GuestFs | None:
    """The subvolume that the kernel mounts as its root (rootflags=, else the default one), where
    that is another than `view`; it may be none that can be read."""
    if not isinstance(view, BtrfsFs):
        return None
    try:
        wanted = mounted(view.at(view.default_subvolume), root_flags(command_line))
    except Unreadable as error:
        return UnreadFs(error.detail)
    same = isinstance(wanted, BtrfsFs) and wanted.subvolume == view.subvolume
    return None if same else wanted


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
