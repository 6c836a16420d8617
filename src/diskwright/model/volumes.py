"""Volumes that a disk's partitions hold together, and how they are named."""

from __future__ import annotations

from collections.abc import Iterable

from diskwright._values import Struct


class Volume(Struct, frozen=True):
    """A logical volume. `name` is its device: `/dev/mapper/vg0-root`; `size` is bytes.

    `uuid`: the group's and its own, with a slash between. `partitions` hold it (none: the whole
    disk does). `complete`: all of it is on this disk (None: not known). `note` says why it was not
    read.
    """

    name: str
    uuid: str
    size: int
    partitions: tuple[int, ...]
    complete: bool | None
    note: str = ""


TOP_SUBVOLUME = 5  # number of the subvolume that holds all others of a btrfs


def root_flags(command_line: str) -> list[str]:
    """The mount options in the last rootflags= of a kernel's command line."""
    words = command_line.split()
    flags = [word.partition("=")[2] for word in words if word.startswith("rootflags=")]
    return flags[-1].split(",") if flags else []


def subvolume_options(options: Iterable[str]) -> list[str]:
    """Those that name a subvolume, btrfs(5)."""
    return [o for o in options if o.startswith(("subvol=", "subvolid="))]


def subvolume_number(value: str) -> int:
    """What subvolid=`value` means; 0 is the top one. Raises ValueError."""
    return (int(value, 0) if len(value) < 24 else -1) or TOP_SUBVOLUME


def mapper_name(group: str, volume: str) -> str:
    """The device of a logical volume, as the device mapper spells it: dashes doubled."""
    return "/dev/mapper/" + "-".join(part.replace("-", "--") for part in (group, volume))


class Subvolume(Struct, frozen=True):
    """A tree of a btrfs that can be mounted by itself. `path` is from the top one: `@/var`."""

    number: int
    path: str
    readonly: bool
