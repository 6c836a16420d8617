"""Attributes of a private image: what the image service is told when it imports the object."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ImportAttributes:
    """`min_disk_gib` in whole GiB, `min_memory_mib` in MiB (0: no limit)."""

    name: str
    os_type: str  # Linux, Windows, Other
    os_version: str | None  # as the service spells it, None where it is not known
    architecture: str  # x86, arm
    boot_mode: str  # bios, uefi
    min_disk_gib: int
    min_memory_mib: int
    data_disk: bool = False
