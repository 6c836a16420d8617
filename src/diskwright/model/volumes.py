"""Volumes that a disk's partitions hold together, and how they are named."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Volume:
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


def mapper_name(group: str, volume: str) -> str:
    """The device of a logical volume, as the device mapper spells it: dashes doubled."""
    return "/dev/mapper/" + "-".join(part.replace("-", "--") for part in (group, volume))


@dataclass(frozen=True, slots=True)
class Subvolume:
    """A tree of a btrfs that can be mounted by itself. `path` is from the top one: `@/var`."""

    number: int
    path: str
    readonly: bool
