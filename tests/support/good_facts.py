"""Facts of disks without a fault, to break one by one: Debian 12 and Windows Server 2022, each
started by BIOS or by UEFI."""

from __future__ import annotations

from typing import Any

from diskwright._values import replace
from diskwright.config_profiles import load_profile
from diskwright.model.access import (
    Account,
    LeftBehind,
    MachineId,
    PasswordState,
    SshServer,
)
from diskwright.model.guest import (
    BootEntry,
    Bootloader,
    CloudInit,
    FileSystem,
    FstabEntry,
    GuestFacts,
    Initramfs,
    InitramfsState,
    Kernel,
    NamedBy,
    OsRelease,
)
from diskwright.model.image import ImageFacts, ImageFormat
from diskwright.model.location import Location
from diskwright.model.network import AddressMethod, Interface, Network
from diskwright.model.partitions import Partition, PartitionRole, PartitionTable, TableKind
from diskwright.model.profile import Minimum
from diskwright.model.services import Firewall, Service, Services, ServiceState
from diskwright.model.units import GIB
from support import windows_guest

UUID = "11111111-2222-4333-8444-555555555555"
KERNEL = "6.1.0-56-cloud-amd64"
PROFILE = load_profile("huawei-ims")
MINIMUM = Minimum("debian12", 1 * GIB, 10 * GIB, "osinfo-db 20250606")
DATE = "20221203"

IMAGE = ImageFacts(ImageFormat.QCOW2, GIB, 40 << 20, GIB, version=3, cluster_size=65536)

TABLE = PartitionTable(
    TableKind.MBR,
    512,
    (Partition(1, 1 << 20, GIB - (1 << 20), PartitionRole.LINUX, "83", active=True),),
    boot_code=True,
    bios_core=True,
)
ROOT = FileSystem("ext4", 1, True, uuid=UUID, size=GIB, free=GIB // 2, dirty=False)
OS = OsRelease("debian", "12", "Debian GNU/Linux 12 (bookworm)", "bookworm", "x86_64")
FSTAB = FstabEntry(
    Location("/etc/fstab", 1), f"UUID={UUID}", NamedBy.UUID, "/", "ext4", ("defaults",), True
)
ENTRY = BootEntry(
    Location("/boot/grub/grub.cfg", 120),
    "Debian GNU/Linux",
    f"/boot/vmlinuz-{KERNEL}",
    True,
    (f"/boot/initrd.img-{KERNEL}",),
    True,
    f"root=UUID={UUID} ro console=ttyS0",
    f"UUID={UUID}",
    NamedBy.UUID,
    True,
)
LOADER = Bootloader("grub2", True, False, None, (), "/boot/grub/grub.cfg", (ENTRY,))
INITRAMFS = Initramfs(
    f"/boot/initrd.img-{KERNEL}",
    InitramfsState.READ,
    "xz",
    900,
    ("virtio", "virtio_blk", "virtio_net", "virtio_pci", "virtio_ring", "virtio_scsi"),
)
LINUX = Kernel(
    KERNEL, f"/boot/vmlinuz-{KERNEL}", True, ("ext4", "nvme"), INITRAMFS, modules=("hinic", "xfs")
)
DHCP = Interface(Location("/etc/network/interfaces", 6), "ifupdown", "eth0", AddressMethod.DHCP)
NETWORK = Network(("ifupdown",), (DHCP,), (), ())
CLOUD = CloudInit(True, True, "22.4.2")
ROOT_ACCOUNT = Account("root", PasswordState.SET, True, Location("/etc/shadow", 1))
SSH = SshServer(True, "prohibit-password")
LEFT = LeftBehind(MachineId.EMPTY)

CHRONY = Service("chrony", ServiceState.ENABLED)
UFW = Firewall("ufw", ServiceState.ENABLED, True, "/etc/ufw/user.rules")
SERVICES = Services(ServiceState.ENABLED, (UFW,), (CHRONY,))

BIOS = GuestFacts(
    table=TABLE,
    filesystems=(ROOT,),
    root=0,
    os=OS,
    fstab=(FSTAB,),
    crypttab=(),
    bootloader=LOADER,
    kernels=(LINUX,),
    network=NETWORK,
    cloud_init=CLOUD,
    accounts=(ROOT_ACCOUNT,),
    ssh=SSH,
    services=SERVICES,
    left=LEFT,
)

_GPT = PartitionTable(
    TableKind.GPT,
    512,
    (
        Partition(1, 1 << 20, 100 << 20, PartitionRole.ESP, "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"),
        Partition(2, 101 << 20, 900 << 20, PartitionRole.LINUX, "0fc63daf"),
    ),
    boot_code=False,
    bios_core=None,
)
UEFI = replace(
    BIOS,
    table=_GPT,
    filesystems=(FileSystem("vfat", 1, True, uuid="D15C-0001"), replace(ROOT, partition=2)),
    root=1,
    bootloader=replace(
        LOADER,
        bios=False,
        uefi=True,
        esp_fallback="/EFI/BOOT/BOOTX64.EFI",
        esp_loaders=("/EFI/debian/grubx64.efi",),
    ),
)
SYSTEMD = replace(
    UEFI,
    bootloader=Bootloader(
        "systemd-boot",
        False,
        True,
        "EFI/BOOT/BOOTX64.EFI",
        ("EFI/BOOT/BOOTX64.EFI", "EFI/systemd/systemd-bootx64.efi"),
        "/boot/efi/loader/loader.conf",
        (
            replace(
                ENTRY,
                location=Location(f"/boot/efi/loader/entries/debian-{KERNEL}.conf", 6),
                kernel=f"/boot/efi/debian/{KERNEL}/linux",
                initrds=(f"/boot/efi/debian/{KERNEL}/initrd.img-{KERNEL}",),
                version=KERNEL,
            ),
        ),
    ),
)
_IMAGE = "/boot/efi/EFI/BOOT/BOOTX64.EFI"
UNIFIED = replace(
    SYSTEMD,
    bootloader=Bootloader(
        "uki",
        False,
        True,
        "EFI/BOOT/BOOTX64.EFI",
        ("EFI/BOOT/BOOTX64.EFI",),
        _IMAGE,
        (
            replace(
                ENTRY,
                location=Location(_IMAGE),
                kernel=_IMAGE,
                initrds=(_IMAGE,),
                version=KERNEL,
            ),
        ),
    ),
)
EXTLINUX = replace(
    BIOS,
    table=replace(TABLE, bios_core=None),
    bootloader=Bootloader(
        "extlinux",
        True,
        False,
        None,
        (),
        "/boot/extlinux.conf",
        (replace(ENTRY, location=Location("/boot/extlinux.conf", 10)),),
    ),
)

WINDOWS_BIOS = windows_guest.bios(windows_guest.files())
WINDOWS_UEFI = windows_guest.uefi(windows_guest.files())


def entry(**changes: Any) -> Bootloader:
    """The loader with its one entry changed."""
    return replace(LOADER, entries=(replace(ENTRY, **changes),))


def kernel(**changes: Any) -> tuple[Kernel, ...]:
    """The one kernel, with its initramfs changed."""
    return (replace(LINUX, initramfs=replace(INITRAMFS, **changes)),)


def fstab(**changes: Any) -> tuple[FstabEntry, ...]:
    """A second line, changed."""
    line = replace(FSTAB, location=Location("/etc/fstab", 2), **changes)
    return (FSTAB, line)
