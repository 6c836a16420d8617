"""What keeps a Linux from starting: good facts with one fault each, by its rule."""

from __future__ import annotations

from diskwright._values import replace
from diskwright.model.finding import Result
from diskwright.model.guest import (
    GuestFacts,
    InitramfsState,
    NamedBy,
    Section,
    Unread,
)
from diskwright.model.image import Problem
from support.fault_parts import (
    BUT_NET,
    CRYPT,
    EFI,
    NO_VIRTIO,
    bios,
    btrfs,
    damaged,
    uefi,
)
from support.good_facts import (
    FSTAB,
    LOADER,
    OS,
    TABLE,
    WINDOWS_BIOS,
    entry,
    fstab,
    kernel,
)
from support.windows_guest import without_on_esp

BOOT_FAULTS: dict[str, list[tuple[GuestFacts, Result]]] = {
    "boot.fstab-device-name": [
        (bios(fstab=(replace(FSTAB, spec="/dev/sda1", named_by=NamedBy.DEVICE),)), Result.FAIL)
    ],
    "boot.fstab-other-disk": [
        (bios(fstab=fstab(spec="UUID=aaaa", mount_point="/data", on_disk=False)), Result.FAIL)
    ],
    "boot.fstab-unknown-uuid": [
        (bios(fstab=(replace(FSTAB, spec="UUID=dead", on_disk=False),)), Result.FAIL),
        (
            bios(fstab=fstab(spec="UUID=x", mount_point="none", type="swap", on_disk=False)),
            Result.WARN,
        ),
    ],
    "boot.subvolume-missing": [
        (btrfs("subvol=@home"), Result.FAIL),
        (btrfs("subvolid=300"), Result.FAIL),
        (btrfs("subvolid=all"), Result.FAIL),
        (btrfs("subvolid=257,subvol=/@"), Result.FAIL),
        (btrfs("subvolid=256,subvol=/@"), Result.PASS),
        (btrfs("noauto,subvol=@gone"), Result.PASS),
        (btrfs("nofail,subvol=@gone"), Result.WARN),
        (btrfs("subvol=@", flags="noatime,subvol=/@old"), Result.FAIL),
        (btrfs("subvol=@", flags="noatime"), Result.FAIL),  # the top is the default one
        (btrfs("subvol=@", flags="subvol=@/old"), Result.FAIL),
        (btrfs("subvol=/@"), Result.PASS),
        (btrfs("subvolid=0x100", flags="subvolid=257", subvolume=257), Result.PASS),
        (bios(), Result.SKIP),
    ],
    "boot.fstab-unreadable": [
        (bios(fstab=None, unread=(Unread(Section.FSTAB, "4 GiB long"),)), Result.WARN)
    ],
    "boot.crypttab-unknown-device": [
        (
            bios(
                crypttab=(CRYPT,),
                fstab=fstab(spec="/dev/mapper/data", mount_point="/data", on_disk=True),
            ),
            Result.FAIL,
        ),
        (bios(crypttab=(CRYPT,)), Result.WARN),
        (bios(crypttab=(replace(CRYPT, options=("nofail",)),)), Result.PASS),
        (bios(crypttab=(replace(CRYPT, options=("x-initrd.attach",)),)), Result.FAIL),
        (
            bios(crypttab=(replace(CRYPT, named_by=NamedBy.DEVICE, on_disk=True),)),
            Result.WARN,
        ),
        (bios(crypttab=(replace(CRYPT, on_disk=None),)), Result.UNKNOWN),
    ],
    "boot.resume-unknown-device": [
        (
            bios(bootloader=entry(resume="UUID=x", resume_by=NamedBy.UUID, resume_on_disk=False)),
            Result.WARN,
        ),
        (
            bios(
                bootloader=entry(resume="/dev/sda2", resume_by=NamedBy.DEVICE, resume_on_disk=True)
            ),
            Result.WARN,
        ),
        (bios(bootloader=entry(resume="UUID=x", resume_by=NamedBy.UUID)), Result.UNKNOWN),
    ],
    "boot.grub-root-device-name": [
        (bios(bootloader=entry(root="/dev/sda1", root_named_by=NamedBy.DEVICE)), Result.FAIL)
    ],
    "boot.grub-root-unknown": [(bios(bootloader=entry(root_on_disk=False)), Result.FAIL)],
    "boot.grub-config-missing": [
        (bios(bootloader=replace(LOADER, config=None, entries=())), Result.FAIL)
    ],
    "boot.kernel-missing": [
        (bios(bootloader=entry(kernel_exists=False), kernels=()), Result.FAIL),
        (
            bios(
                bootloader=replace(
                    LOADER, entries=(*LOADER.entries, *entry(kernel_exists=False).entries)
                )
            ),
            Result.WARN,
        ),
    ],
    "boot.initramfs-missing": [
        (
            bios(
                bootloader=entry(initrds_exist=False),
                kernels=kernel(state=InitramfsState.MISSING, modules=()),
            ),
            Result.FAIL,
        )
    ],
    "boot.initramfs-corrupt": [
        (bios(kernels=kernel(state=InitramfsState.CORRUPT, detail="ends early")), Result.FAIL)
    ],
    "boot.initramfs-no-virtio": [
        (bios(kernels=kernel(modules=NO_VIRTIO)), Result.FAIL),
        (bios(kernels=kernel(modules=BUT_NET)), Result.WARN),
    ],
    "boot.esp-config-other-disk": [
        (
            uefi(bootloader=replace(EFI, problems=(Problem("esp-config-other-disk", "uuid"),))),
            Result.FAIL,
        )
    ],
    "disk.filesystem-damaged": [
        (damaged("filesystem-past-end"), Result.FAIL),
        (damaged("journal-unread"), Result.WARN),
    ],
    "boot.bootloader-missing": [
        (
            bios(
                table=replace(TABLE, boot_code=False, bios_core=False),
                bootloader=replace(LOADER, bios=False, uefi=False),
            ),
            Result.FAIL,
        )
    ],
    "boot.windows-bcd-missing": [
        (without_on_esp("/EFI/Microsoft/Boot/BCD"), Result.FAIL),
        (without_on_esp("/EFI/Microsoft/Boot/BCD", broken=True), Result.UNKNOWN),
        (WINDOWS_BIOS, Result.PASS),
        (bios(), Result.SKIP),
    ],
    "boot.mode": [
        (
            bios(
                os=replace(OS, architecture="aarch64"),
            ),
            Result.FAIL,
        )
    ],
    "boot.architecture": [(bios(os=replace(OS, architecture="s390x")), Result.FAIL)],
    "boot.mbr-no-active-partition": [
        (
            bios(table=replace(TABLE, partitions=(replace(TABLE.partitions[0], active=False),))),
            Result.WARN,
        ),
        (
            bios(
                table=replace(TABLE, partitions=(replace(TABLE.partitions[0], active=False),)),
                bootloader=replace(LOADER, name="extlinux"),
            ),
            Result.FAIL,
        ),
    ],
    "boot.esp-no-fallback": [
        (without_on_esp("/EFI/Boot/bootx64.efi"), Result.FAIL),
        (uefi(bootloader=replace(EFI, esp_fallback=None)), Result.FAIL),
        (uefi(bootloader=replace(EFI, esp_fallback=None, bios=True)), Result.WARN),
    ],
}
