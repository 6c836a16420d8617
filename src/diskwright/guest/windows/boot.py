"""How a Windows disk starts: by BIOS through bootmgr on an active partition, or by UEFI."""

from __future__ import annotations

from collections.abc import Sequence

from diskwright.guest.esp import EspFacts
from diskwright.guest.probe import Probe
from diskwright.guest.reading import GuestReadError
from diskwright.guest.tree import GuestTree
from diskwright.model.guest import Bootloader
from diskwright.model.partitions import PartitionTable, TableKind

NAME = "bootmgr"
MANAGER, STORE = "/bootmgr", "/Boot/BCD"
ESP_STORE = "EFI/Microsoft/Boot/BCD"

_NO_TREE = frozenset({"swap"})


def read_boot(probes: Sequence[Probe], table: PartitionTable | None, esp: EspFacts) -> Bootloader:
    """`config` is the boot configuration store (BCD): a path on its file system, or on the ESP."""
    bios = _by_bios(probes, table)
    esp_store = esp.tree is not None and _there(esp.tree, f"{esp.mount_point}/{ESP_STORE}")
    config = STORE if bios else ESP_STORE if esp_store else None
    return Bootloader(
        name=NAME if bios or esp_store or esp.loaders else None,
        bios=bios,
        uefi=esp.starts,
        esp_fallback=esp.fallback,
        esp_loaders=esp.loaders,
        config=config,
        entries=(),
    )


def _by_bios(probes: Sequence[Probe], table: PartitionTable | None) -> bool | None:
    """Windows starts by BIOS from an MBR only, whose code goes on with the active partition.

    Where none is active, which is a fault of its own, the others are looked at.
    """
    if table is None:
        return None
    if table.kind is not TableKind.MBR or not table.boot_code:
        return False
    active = {p.number for p in table.partitions if p.active}
    unread = False
    for probe in probes:
        if active and probe.facts.partition not in active:
            continue
        if probe.reader is None:
            unread = unread or probe.facts.type not in _NO_TREE
            continue
        tree = GuestTree(probe.reader)
        found = [_there(tree, path) for path in (MANAGER, STORE)]
        if all(found):
            return True
        unread = unread or (None in found and False not in found)
    return None if unread else False


def _there(tree: GuestTree, path: str) -> bool | None:
    try:
        return tree.is_file(path)
    except GuestReadError:
        return None
