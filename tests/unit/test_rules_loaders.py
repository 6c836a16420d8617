"""Guests that GRUB does not start are judged by the same rules, and told what helps them."""

from __future__ import annotations

from typing import Any

import pytest

from diskwright._values import replace
from diskwright.model.finding import Finding, Result
from diskwright.model.guest import GuestFacts, InitramfsState, NamedBy
from diskwright.model.location import Location
from diskwright.rules import judge
from support.good_facts import (
    DATE,
    EXTLINUX,
    IMAGE,
    INITRAMFS,
    LINUX,
    MINIMUM,
    OS,
    PROFILE,
    SYSTEMD,
    UNIFIED,
)

GOOD = {"systemd-boot": SYSTEMD, "uki": UNIFIED, "extlinux": EXTLINUX}
ENTRY_FAULTS: dict[str, dict[str, Any]] = {
    "boot.kernel-missing": {"kernel_exists": False},
    "boot.initramfs-missing": {"initrds_exist": False},
    "boot.grub-root-device-name": {"root": "/dev/sda2", "root_named_by": NamedBy.DEVICE},
    "boot.grub-root-unknown": {"root_on_disk": False},
    "boot.resume-unknown-device": {"resume": "UUID=x", "resume_on_disk": False},
}
LOADER_FAULTS: dict[str, dict[str, Any]] = {
    "boot.grub-config-missing": {"config": None, "entries": ()},
    "boot.bootloader-missing": {
        "bios": False,
        "uefi": False,
        "esp_fallback": None,
        "esp_loaders": (),
    },
}
SYSTEMS = {
    "debian": OS,
    "fedora": replace(OS, id="fedora"),
    "suse": replace(OS, id="sles"),
    "arch": replace(OS, id="arch"),
    "alpine": replace(OS, id="alpine"),
    "other": replace(OS, id="other"),
}


def findings(guest: GuestFacts) -> dict[str, Finding]:
    verdict = judge(IMAGE, guest, PROFILE, minimum=MINIMUM, database_date=DATE)
    return {finding.id: finding for finding in verdict.findings}


def broken(guest: GuestFacts, rule: str) -> GuestFacts:
    loader = guest.bootloader
    assert loader is not None
    (entry,) = loader.entries
    if rule in ENTRY_FAULTS:
        loader = replace(loader, entries=(replace(entry, **ENTRY_FAULTS[rule]),))
    else:
        loader = replace(loader, **LOADER_FAULTS[rule])
    return replace(guest, bootloader=loader)


@pytest.mark.parametrize("name", GOOD)
def test_a_good_one_has_nothing_above_pass(name: str) -> None:
    found = findings(GOOD[name]).values()
    assert [f for f in found if f.result not in (Result.PASS, Result.SKIP)] == []


# An image needs no configuration
CASES = [
    (name, rule)
    for name in GOOD
    for rule in (*ENTRY_FAULTS, *LOADER_FAULTS)
    if (name, rule) != ("uki", "boot.grub-config-missing")
]


@pytest.mark.parametrize(("name", "rule"), CASES)
def test_a_fault_is_found_and_its_remedy_is_not_grub_s(name: str, rule: str) -> None:
    for system in SYSTEMS.values():
        found = findings(replace(broken(GOOD[name], rule), os=system))
        result = Result.WARN if "resume" in rule else Result.FAIL
        assert found[rule].result is result
        assert {i for i, f in found.items() if f.result in (Result.FAIL, Result.WARN)} == {rule}
        assert found[rule].remedy
        assert "grub" not in found[rule].remedy.lower()


def test_what_systemd_boot_s_remedies_say() -> None:
    assert (
        "bootctl install"
        in findings(broken(SYSTEMD, "boot.grub-config-missing"))["boot.grub-config-missing"].remedy
    )
    missing = findings(broken(SYSTEMD, "boot.kernel-missing"))["boot.kernel-missing"]
    version = LINUX.version
    assert f"kernel-install add {version} /boot/vmlinuz-{version}" in missing.remedy
    root = findings(broken(SYSTEMD, "boot.grub-root-device-name"))["boot.grub-root-device-name"]
    assert f"/boot/efi/loader/entries/debian-{version}.conf" in root.remedy


def test_an_initramfs_is_made_anew_by_the_guest_s_own_tool() -> None:
    lacking = replace(LINUX, initramfs=replace(INITRAMFS, modules=("ext4",)))
    corrupt = replace(LINUX, initramfs=replace(INITRAMFS, state=InitramfsState.CORRUPT))
    tools = {
        "debian": "update-initramfs -u -k all",
        "fedora": "dracut --regenerate-all",
        "arch": "mkinitcpio -P",
        "alpine": "mkinitfs",
    }
    for system, tool in tools.items():
        for kernel in (lacking, corrupt):
            guest = replace(SYSTEMD, os=SYSTEMS[system], kernels=(kernel,))
            said = [f.remedy for f in findings(guest).values() if f.result is Result.FAIL]
            assert len(said) == 1
            assert tool in said[0]


def test_an_image_that_systemd_boot_starts_is_made_anew_not_edited() -> None:
    path = "/efi/EFI/Linux/a.efi"
    assert SYSTEMD.bootloader is not None
    (entry,) = SYSTEMD.bootloader.entries
    image = replace(entry, location=Location(path), kernel=path, initrds=(path,))
    guest = replace(SYSTEMD, bootloader=replace(SYSTEMD.bootloader, entries=(image,)))
    for rule in ("boot.grub-root-device-name", "boot.resume-unknown-device"):
        remedy = findings(broken(guest, rule))[rule].remedy
        assert path not in remedy
        assert "kernel-install add" in remedy
    lacking = replace(LINUX, initramfs=replace(INITRAMFS, modules=("ext4",)))
    remedy = findings(replace(guest, kernels=(lacking,)))["boot.initramfs-no-virtio"].remedy
    assert remedy.splitlines()[-1].startswith("kernel-install add")


def test_what_an_image_s_remedies_say() -> None:
    lacking = replace(LINUX, initramfs=replace(INITRAMFS, modules=("ext4",)))
    found = findings(replace(UNIFIED, kernels=(lacking,)))["boot.initramfs-no-virtio"]
    assert found.remedy.splitlines()[-2].startswith("kernel-install add")
    root = findings(broken(UNIFIED, "boot.grub-root-device-name"))["boot.grub-root-device-name"]
    assert "/etc/kernel/cmdline" in root.remedy
    assert UNIFIED.bootloader is not None
    bare = replace(UNIFIED.bootloader, esp_fallback=None, esp_loaders=("EFI/Linux/a.efi",))
    astray = findings(replace(UNIFIED, bootloader=bare))["boot.esp-no-fallback"]
    assert astray.result is Result.FAIL
    assert "EFI/BOOT/BOOTX64.EFI" in astray.remedy


def test_what_extlinux_s_remedies_say() -> None:
    for rule, said in (
        ("boot.grub-config-missing", "update-extlinux"),
        ("boot.kernel-missing", "update-extlinux"),
        ("boot.bootloader-missing", "extlinux --install /boot"),
        ("boot.grub-root-device-name", "/boot/extlinux.conf"),
    ):
        assert said in findings(broken(EXTLINUX, rule))[rule].remedy
    missing = findings(broken(replace(EXTLINUX), "boot.grub-config-missing"))
    assert "extlinux.conf and syslinux.cfg" in missing["boot.grub-config-missing"].evidence


DEFAULT_RULES = (
    *("boot.kernel-missing", "boot.initramfs-missing", "boot.grub-root-device-name"),
    *("boot.grub-root-unknown", "boot.initramfs-corrupt", "boot.initramfs-no-virtio"),
)


@pytest.mark.parametrize("other", ["Windows", ""])
@pytest.mark.parametrize("name", GOOD)
def test_nothing_is_sure_where_the_menu_starts_another_thing(name: str, other: str) -> None:
    loader = GOOD[name].bootloader
    assert loader is not None
    found = findings(replace(GOOD[name], bootloader=replace(loader, starts_other=other)))
    for rule in DEFAULT_RULES:
        assert found[rule].result in (Result.UNKNOWN, Result.SKIP), rule
    assert found["boot.kernel-missing"].result is Result.UNKNOWN
    kept = found["boot.grub-config-missing"].result
    assert kept is (Result.PASS if other else Result.FAIL)


def test_an_entry_that_is_broken_harms_only_who_chooses_it() -> None:
    guest = broken(EXTLINUX, "boot.kernel-missing")
    assert findings(guest)["boot.kernel-missing"].result is Result.FAIL
    loader = guest.bootloader
    assert loader is not None
    guest = replace(guest, bootloader=replace(loader, starts_other="Windows"))
    assert findings(guest)["boot.kernel-missing"].result is Result.WARN
