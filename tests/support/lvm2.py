"""Volume groups made by lvm2 itself, on loop devices and without the device mapper."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from support.guest_disks import run

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
    devices: list[str] = []
    try:
        for start, length in places:
            devices.append(_loop(image, start, length))
        yield Lvm(tuple(devices))
    finally:
        for device in devices:
            subprocess.run(["losetup", "-d", device], check=False)


def _loop(image: Path, start: int, length: int) -> str:
    if os.geteuid() != 0:
        pytest.skip("loop devices need root")
    argv = ["losetup", "-f", "--show", "-o", str(start), "--sizelimit", str(length), str(image)]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("losetup is not installed: scripts/setup")
    if done.returncode:
        pytest.skip(f"no loop device can be had: {done.stderr.strip()}")
    return done.stdout.strip()
