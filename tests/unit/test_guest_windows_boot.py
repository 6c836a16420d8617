"""What starts a Windows: bootmgr and its store, on the active partition or on the ESP."""

from __future__ import annotations

from diskwright._values import replace
from diskwright.guest.inspect import facts_of
from diskwright.guest.probe import Probe
from diskwright.guest.windows.boot import ESP_MANAGER, ESP_STORE, STORE
from diskwright.model.guest import FileSystem, Section
from support.windows_guest import ON_ESP, TABLE, bios, files, ntfs, uefi, without_on_esp


def test_by_bios_it_starts_through_bootmgr_and_its_store() -> None:
    loader = bios(files()).bootloader
    assert loader is not None
    assert (loader.name, loader.bios, loader.uefi) == ("bootmgr", True, False)
    assert loader.config == STORE
    without = files()
    del without["/Boot/BCD"]
    loader = bios(without).bootloader
    assert loader is not None
    assert (loader.name, loader.bios) == (None, False)


def test_what_starts_it_may_be_on_a_partition_of_its_own() -> None:
    system = files()
    reserved = {path: system.pop(path) for path in ("/bootmgr", STORE)}
    first, second = TABLE.partitions[0], replace(TABLE.partitions[0], number=2, active=False)
    table = replace(TABLE, partitions=(first, second))
    loader = facts_of(table, [ntfs(reserved, 1), ntfs(system, 2)]).bootloader
    assert loader is not None
    assert (loader.bios, loader.config) == (True, STORE)
    closed = Probe(FileSystem("ntfs", 1, False, note="is not read"), None)
    loader = facts_of(table, [closed, ntfs(system, 2)]).bootloader
    assert loader is not None
    assert (loader.bios, loader.config) == (None, None)


def test_by_bios_it_starts_from_the_active_partition() -> None:
    first = replace(TABLE.partitions[0], active=False)
    second = replace(TABLE.partitions[0], number=2)
    probes = [ntfs(files(), 1), ntfs({"/x": b""}, 2)]
    loader = facts_of(replace(TABLE, partitions=(first, second)), probes).bootloader
    assert loader is not None
    assert (loader.bios, loader.name, loader.config) == (False, None, None)
    second = replace(second, active=False)
    loader = facts_of(replace(TABLE, partitions=(first, second)), probes).bootloader
    assert loader is not None
    assert loader.bios is True  # that none is active is told by another rule
    first, second = replace(first, active=True), replace(second, active=False)
    closed = Probe(FileSystem("ntfs", 1, False, note="is not read"), None)
    table = replace(TABLE, partitions=(first, second))
    loader = facts_of(table, [closed, ntfs(files(), 2)]).bootloader
    assert loader is not None
    assert loader.bios is None


def test_by_uefi_it_starts_from_the_esp() -> None:
    loader = uefi(files()).bootloader
    assert loader is not None
    assert (loader.bios, loader.uefi, loader.config) == (False, True, ESP_STORE)
    assert loader.esp_fallback == "EFI/Boot/bootx64.efi"


def test_its_manager_is_found_where_no_other_loader_is() -> None:
    only = {path: content for path, content in ON_ESP.items() if path.startswith("/EFI/Microsoft")}
    loader = uefi(files(), only).bootloader
    assert loader is not None
    assert (loader.uefi, loader.esp_fallback, loader.esp_loaders) == (True, None, (ESP_MANAGER,))
    assert (loader.name, loader.config) == ("bootmgr", ESP_STORE)
    loader = uefi(files(), {"/x": b""}).bootloader
    assert loader is not None
    assert (loader.uefi, loader.esp_loaders, loader.name) == (False, (), None)


def test_a_store_that_can_not_be_looked_for_is_unread() -> None:
    guest = without_on_esp(f"/{ESP_STORE}", broken=True)
    assert guest.bootloader is not None
    assert guest.bootloader.config is None
    assert ESP_STORE in guest.why_unread(Section.BOOT)
    gone = without_on_esp(f"/{ESP_STORE}")
    assert gone.bootloader is not None
    assert (gone.bootloader.config, gone.why_unread(Section.BOOT)) == (None, "")
