"""What firmware starts: boot mode, boot loader, architecture."""

from __future__ import annotations

from diskwright.model.finding import Result, Severity
from diskwright.model.guest import GuestFacts, Section
from diskwright.model.partitions import PartitionRole, TableKind
from diskwright.model.text import printable
from diskwright.rules import loaders, sources
from diskwright.rules.rule import (
    Case,
    Outcome,
    Rule,
    breaks,
    by_system,
    commands,
    holds,
    skip,
    unread,
    unread_section,
)

# ELF machines as the facts spell them -> the service's word
ARCHITECTURES = {"x86_64": "x86", "i386": "x86", "i686": "x86", "aarch64": "arm"}
_EFI_LOADER = ("# install the EFI loader on an EFI system partition",)
BCDBOOT = (
    "mountvol S: /S   # the EFI system partition; for BIOS give the active one a letter",
    "bcdboot C:\\Windows /s S: /f ALL",
)
_FALLBACK = {"x86_64": "BOOTX64.EFI", "aarch64": "BOOTAA64.EFI"}


def starts_by_uefi(guest: GuestFacts) -> bool | None:
    """A loader is on the ESP, in the fallback place or in a vendor's."""
    loader = guest.bootloader
    if loader is None:
        return None
    if loader.uefi or loader.esp_fallback or loader.esp_loaders:
        return True
    return loader.uefi


def architecture(guest: GuestFacts) -> str | None:
    """x86_64, aarch64, …: of the programs, also where os-release was not read."""
    return guest.architecture or (guest.os.architecture if guest.os else None)


def boot_mode(guest: GuestFacts) -> str | None:
    """What the image is registered with; None where nothing that starts was seen.

    Where both modes start it bios, which the service assumes and has for more systems.
    """
    arm = ARCHITECTURES.get(architecture(guest) or "") == "arm"
    uefi = starts_by_uefi(guest)
    if guest.bootloader is not None and guest.bootloader.bios and not (arm and uefi):
        return "bios"
    return "uefi" if uefi else None


def _has_esp(guest: GuestFacts) -> bool:
    partitions = guest.table.partitions if guest.table else ()
    return any(p.role is PartitionRole.ESP for p in partitions)


def _loader(case: Case) -> Outcome:
    loader = case.guest.bootloader
    if loader is None:
        return unread_section(case, Section.BOOT, "the boot loader")
    if loader.bios or starts_by_uefi(case.guest):
        return holds(f"{printable(loader.name or 'a boot loader')} is installed")
    if loader.bios is None or loader.uefi is None:
        return unread_section(case, Section.BOOT, "the boot loader")
    return breaks(
        "nothing on this disk starts it: neither boot code nor an EFI loader",
        _boot_places(case.guest),
        _install(case),
    )


def _install(case: Case) -> tuple[str, ...]:
    grub = commands(
        case,
        debian=("grub-install /dev/vda", "update-grub"),
        rhel=("grub2-install /dev/vda", "grub2-mkconfig -o /boot/grub2/grub.cfg"),
        suse=("grub2-install /dev/vda", "grub2-mkconfig -o /boot/grub2/grub.cfg"),
        windows=BCDBOOT,
    )
    return loaders.by_loader(
        case,
        grub,
        systemd=("bootctl install",),
        uki=_copy_uki(case),
        extlinux=(
            "extlinux --install /boot",
            "dd if=/usr/share/syslinux/mbr.bin of=/dev/vda bs=440 count=1 conv=notrunc",
        ),
    )


def _copy_uki(case: Case) -> tuple[str, ...]:
    name = _fallback_name(case.guest)
    return (
        "mkdir -p /boot/efi/EFI/BOOT",
        f"cp /boot/efi/EFI/Linux/IMAGE.efi /boot/efi/EFI/BOOT/{name}",
    )


def _boot_places(guest: GuestFacts) -> list[str]:
    places = []
    if guest.table is not None:
        places.append(f"boot code in sector 0: {'yes' if guest.table.boot_code else 'zeros'}")
    if guest.table is not None and guest.table.bios_core is not None:
        places.append(f"its second stage: {'yes' if guest.table.bios_core else 'none'}")
    places.append(f"EFI system partition: {'yes' if _has_esp(guest) else 'none'}")
    return places


def _mode(case: Case) -> Outcome:
    loader = case.guest.bootloader
    if loader is None:
        return unread_section(case, Section.BOOT, "the boot mode")
    mode = boot_mode(case.guest)
    if mode is None:
        if loader.bios is None or loader.uefi is None:
            return unread_section(case, Section.BOOT, "the boot mode")
        return skip("nothing starts this disk")
    if ARCHITECTURES.get(architecture(case.guest) or "") == "arm" and mode != "uefi":
        return breaks(
            "an Arm server starts by UEFI only",
            remedy=_EFI_LOADER,
        )
    if mode not in case.profile.boot_modes:
        modes = ", ".join(case.profile.boot_modes)
        return breaks(
            f"starts by {mode}; the service takes {modes}",
            remedy=(f"# install a boot loader for {modes}",),
        )
    return holds(f"starts by {mode}; register the image with that boot mode")


def _architecture(case: Case) -> Outcome:
    found = architecture(case.guest)
    if found is None:
        return unread_section(case, Section.OS, "the architecture")
    service = ARCHITECTURES.get(found)
    if service not in case.profile.architectures:
        return breaks(
            f"the system is built for {printable(found)}; the service has "
            f"{', '.join(case.profile.architectures)}",
            remedy=(f"# install the system for {' or '.join(case.profile.architectures)}",),
        )
    return holds(f"{found}: register the image as {service}")


def _active(case: Case) -> Outcome:
    table, loader = case.guest.table, case.guest.bootloader
    if table is None:
        return unread_section(case, Section.TABLE, "the partition table")
    if table.kind is not TableKind.MBR:
        return skip("only an MBR marks a partition as active")
    if any(p.active for p in table.partitions):
        return holds("a partition is marked as active")
    if loader is not None and loader.bios is False:
        return skip("the disk does not start by BIOS")
    first = min((p.number for p in table.partitions), default=1)
    grub = loader is not None and (loader.name or "").startswith("grub")
    return breaks(
        "no partition of the MBR is marked as active",
        (f"partition {p.number}: flag 0x00" for p in table.partitions),
        _activate(case, str(first)),
        result=Result.WARN if grub else None,
    )


def _activate(case: Case, number: str) -> tuple[str, ...]:
    return by_system(
        case,
        linux=(f"sfdisk --activate /dev/vda {number}",),
        windows=(f"Set-Partition -DiskNumber 0 -PartitionNumber {number} -IsActive $true",),
    )


def _fallback(case: Case) -> Outcome:
    guest, loader = case.guest, case.guest.bootloader
    if loader is None:
        return unread_section(case, Section.BOOT, "the EFI system partition")
    if loader.esp_fallback:
        return holds(f"{printable(loader.esp_fallback)} is on the EFI system partition")
    if not starts_by_uefi(guest):
        if loader.uefi is None:
            return unread_section(case, Section.BOOT, "the EFI system partition")
        return skip("the disk does not start by UEFI")
    if loader.uefi is None and not loader.esp_loaders:
        return unread("the EFI system partition was not read")
    name = _fallback_name(guest)
    return breaks(
        f"EFI/BOOT/{name} is missing on the EFI system partition",
        (f"there is: {path}" for path in loader.esp_loaders),
        _install_fallback(case),
        result=Result.WARN if loader.bios else None,
    )


def _fallback_name(guest: GuestFacts) -> str:
    return _FALLBACK.get(architecture(guest) or "", "BOOTX64.EFI")


def _install_fallback(case: Case) -> tuple[str, ...]:
    grub = commands(
        case,
        debian=("grub-install --removable",),
        rhel=(
            "mkdir -p /boot/efi/EFI/BOOT",
            f"cp /boot/efi/EFI/*/shim*.efi /boot/efi/EFI/BOOT/{_fallback_name(case.guest)}",
        ),
        suse=("shim-install --removable",),
        windows=BCDBOOT,
    )
    return loaders.by_loader(case, grub, systemd=("bootctl install",), uki=_copy_uki(case))


RULES = (
    Rule(
        "boot.bootloader-missing",
        "A boot loader is installed on the disk",
        "Firmware finds nothing to start: the server stays at a black screen.",
        sources.PREPARE_LINUX,
        _loader,
        remedy=_install,
    ),
    Rule(
        "boot.mode",
        "The disk starts in a boot mode that the service has",
        "An image registered as BIOS does not start by UEFI, nor the other way round.",
        sources.API_CREATE,
        _mode,
        remedy=lambda case: (
            *_EFI_LOADER,
            f"# or a boot loader for {', '.join(case.profile.boot_modes)}",
        ),
    ),
    Rule(
        "boot.architecture",
        "The system is built for the service's processors",
        "The image's architecture chooses the servers that it can be used on.",
        sources.API_CREATE,
        _architecture,
        remedy=lambda case: (
            f"# install the system for {' or '.join(case.profile.architectures)}",
        ),
    ),
    Rule(
        "boot.mbr-no-active-partition",
        "An MBR marks the partition to start",
        "Some boot codes and firmwares start the active partition only. GRUB's own boot code "
        "needs none: with it this is a warning.",
        sources.MBR,
        _active,
        severity=Severity.MEDIUM,
        remedy=lambda case: _activate(case, "NUMBER"),
    ),
    Rule(
        "boot.esp-no-fallback",
        "UEFI finds a loader in its fallback place",
        "A new server's firmware remembers no boot entry: it looks for EFI/BOOT/BOOTX64.EFI only.",
        sources.UEFI,
        _fallback,
        remedy=_install_fallback,
    ),
)
