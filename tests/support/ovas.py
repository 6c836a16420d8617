"""Whole packages on disk: a descriptor, disks, and a manifest that holds."""

from __future__ import annotations

import random
import subprocess
from dataclasses import dataclass
from pathlib import Path

from support import packages
from support.command import FIXTURE

MIB = 1 << 20


@dataclass(frozen=True)
class Disk:
    """A member, and the capacity that the descriptor says it has."""

    name: str
    data: bytes
    capacity: int


def write_ova(
    path: Path, *disks: Disk, manifest: bool = True, others: tuple[tuple[str, bytes], ...] = ()
) -> Path:
    """`others` are members that the descriptor says nothing of."""
    ovf = packages.descriptor(
        files="".join(packages.file(f"f{n}", disk.name) for n, disk in enumerate(disks)),
        disks="".join(
            packages.disk(f"d{n}", f"f{n}", f'ovf:capacity="{disk.capacity}"')
            for n, disk in enumerate(disks)
        ),
    )
    members = [("web.ovf", ovf), *((disk.name, disk.data) for disk in disks), *others]
    if manifest:
        members.insert(1, ("web.mf", packages.manifest(*members)))
    path.write_bytes(packages.archive(*members))
    return path


def raw(name: str, *, seed: int, size: int = MIB) -> Disk:
    return Disk(name, random.Random(seed).randbytes(size), size)


def system(name: str = "system.qcow2") -> Disk:
    """The real Debian disk."""
    return Disk(name, FIXTURE.read_bytes(), 1 << 30)


def vmdk(folder: Path, name: str, *, seed: int, size: int = 8 * MIB) -> tuple[Disk, Path]:
    """A stream-optimized disk as appliances have them, and the same raw."""
    flat, stream = folder / f"{name}.raw", folder / name
    flat.write_bytes(raw(name, seed=seed, size=size // 2).data + bytes(size - size // 2))
    options = ["-O", "vmdk", "-o", "subformat=streamOptimized"]
    subprocess.run(["qemu-img", "convert", *options, flat, stream], check=True)
    return Disk(name, stream.read_bytes(), size), flat
