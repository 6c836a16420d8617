"""Attributes of a private image: what the image service is told when it imports the object."""

from __future__ import annotations

from diskwright._values import Struct, field


class ImportAttributes(Struct, frozen=True):
    """`min_disk_gib` in whole GiB, `min_memory_mib` in MiB (0: no limit).

    `nic_multiqueue`: its network driver takes several queues; `sriov`: it has the driver of the
    cloud's SR-IOV adapters (None: not known). `sources` says by the attribute's name where each
    value is from.
    """

    name: str
    os_type: str  # Linux, Windows, Other
    os_version: str | None  # as the service spells it, None where it is not known
    architecture: str  # x86, arm
    boot_mode: str  # bios, uefi
    min_disk_gib: int
    min_memory_mib: int
    data_disk: bool = False
    nic_multiqueue: bool | None = None
    sriov: bool | None = None
    sources: dict[str, str] = field(default_factory=dict)
