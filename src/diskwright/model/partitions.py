"""A disk's partition table: facts, nothing judged."""

from __future__ import annotations

from enum import StrEnum

from diskwright._values import Struct
from diskwright.model.image import Problem


class TableKind(StrEnum):
    NONE = "none"
    MBR = "mbr"
    GPT = "gpt"


class PartitionRole(StrEnum):
    """By its type code or GUID, before anybody has looked inside."""

    ESP = "esp"
    BIOS_BOOT = "bios-boot"
    LINUX = "linux"
    SWAP = "swap"
    LVM = "lvm"
    EXTENDED = "extended"
    WINDOWS = "windows"
    OTHER = "other"


class Partition(Struct, frozen=True):
    """`number` as Linux numbers it; `start` and `length` in bytes of the virtual disk."""

    number: int
    start: int
    length: int
    role: PartitionRole
    type_id: str  # MBR: two hex digits; GPT: the type GUID, lower case
    partuuid: str | None = None
    label: str | None = None
    active: bool = False  # MBR boot flag


class PartitionTable(Struct, frozen=True):
    kind: TableKind
    sector_size: int
    partitions: tuple[Partition, ...]
    boot_code: bool  # the first 440 bytes are not all zero
    bios_core: bool | None  # a BIOS loader's second stage (GRUB core image) was seen
    problems: tuple[Problem, ...] = ()
