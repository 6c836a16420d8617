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
# One folder deeper than others have theirs
ESP_MANAGER = "EFI/Microsoft/Boot/bootmgfw.efi"
ESP_STORE = "EFI/Microsoft/Boot/BCD"

_NO_TREE = frozenset({"swap"})


def read_boot(
    probes: Sequence[Probe], table: PartitionTable | None, esp: EspFacts
) -> tuple[Bootloader, str]:
    """`config` is the boot configuration store (BCD): a path on its file system, or on the ESP.

    And why the ESP's could not be read (mostly empty).
    """
    bios = _by_bios(probes, table)
    seen = {path: _on_esp(esp, path) for path in (ESP_MANAGER, ESP_STORE)}
    uefi = esp.starts
    if uefi is False and seen[ESP_MANAGER] is not False:
        uefi = seen[ESP_MANAGER]
    own = (ESP_MANAGER,) if seen[ESP_MANAGER] else ()
    config = STORE if bios else ESP_STORE if seen[ESP_STORE] else None
    loader = Bootloader(
        name=NAME if bios or seen[ESP_STORE] or esp.loaders or own else None,
        bios=bios,
        uefi=uefi,
        esp_fallback=esp.fallback,
        esp_loaders=(*esp.loaders, *own),
        config=config,
        entries=(),
    )
    unread = [path for path, there in seen.items() if there is None]
    return loader, f"{' and '.join(unread)} on the ESP can't be looked for" if unread else ""


def _on_esp(esp: EspFacts, path: str) -> bool | None:
    return False if esp.tree is None else _there(esp.tree, f"{esp.mount_point}/{path}")


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
