"""Volume groups made by lvm2 itself, on loop devices and without the device mapper."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diskwright.guest.partitions import read_table
from support.guest_disks import loop_device, run, source_of_file

MIB = 1 << 20
_CONFIG = (
    "activation { monitoring=0 udev_sync=0 udev_rules=0 } "
    "global { use_lvmpolld=0 event_activation=0 } "
    'devices { use_devicesfile=0 scan="/dev" dir="/dev" obtain_device_list_from_udev=0 '
    'external_device_info_source="none" } backup { backup=0 archive=0 }'
)


@dataclass(frozen=True)
class Lvm:
    """lvm2 that sees these devices and no other; each is a part of one disk's file."""

    devices: tuple[str, ...]

    def __call__(self, command: str, *arguments: str | Path) -> str:
        options = ("--driverloaded", "n", "--config", _CONFIG)
        environment = os.environ | {"LVM_SUPPRESS_FD_WARNINGS": "1", "LC_ALL": "C"}
        devices = ("--devices", ",".join(self.devices))
        return run("lvm", command, *options, *devices, "-q", "-y", *arguments, env=environment)

    def create(self, group: str, name: str, *size: str) -> None:
        self("lvcreate", "-an", "-Zn", "-Wn", "-n", name, *size, group)

    def told(self, command: str, *fields: str, more: Sequence[str] = ()) -> list[dict[str, Any]]:
        """What `lvs`, `pvs` or `vgs` says; sizes are bytes."""
        options = ("--reportformat", "json", "--units", "b", "--nosuffix", *more)
        said = json.loads(self(command, *options, "-o", ",".join(fields)))
        (rows,) = said["report"][0].values()
        found: list[dict[str, Any]] = rows
        return found


@contextmanager
def lvm_on(image: Path, places: Sequence[tuple[int, int]]) -> Iterator[Lvm]:
    """Over parts of a disk's file, (start, length) in bytes. What can't be had skips by name."""
    with ExitStack() as devices:
        parts = (("-o", str(start), "--sizelimit", str(length)) for start, length in places)
        yield Lvm(tuple(devices.enter_context(loop_device(image, *part)) for part in parts))


def partitioned(image: Path, *mebibytes: int) -> list[tuple[int, int]]:
    """A disk with a GPT of partitions for LVM; where they are, (start, length) in bytes."""
    image.touch()
    os.truncate(image, (sum(mebibytes) + 2) * MIB)
    lines = "".join(
        f"size={size}M,type=E6D6D379-F507-44C2-A23C-238F2A3DF928\n" for size in mebibytes
    )
    run("sfdisk", "-q", image, input=f"label: gpt\n{lines}")
    return [(p.start, p.length) for p in read_table(source_of_file(image)).partitions]
