"""What good facts with a fault are made of."""

from __future__ import annotations

from diskwright._values import replace
from diskwright.model.guest import (
    CryptEntry,
    GuestFacts,
    NamedBy,
)
from diskwright.model.image import Problem
from diskwright.model.location import Location
from diskwright.model.network import AddressMethod
from diskwright.model.volumes import Subvolume
from diskwright.model.windows import FirewallProfile, WindowsService
from support.good_facts import (
    BIOS,
    DHCP,
    ENTRY,
    FSTAB,
    INITRAMFS,
    ROOT,
    SERVICES,
    TABLE,
    UEFI,
    UFW,
    WINDOWS_BIOS,
    entry,
)

NO_VIRTIO = ("ext4", "sd_mod")
BUT_NET = tuple(name for name in INITRAMFS.modules if name != "virtio_net")
EFI = UEFI.bootloader
assert EFI is not None
assert UEFI.table is not None
RULES_FILE = Location("/etc/udev/rules.d/70-persistent-net.rules", 1)
SSHD = Location("/etc/ssh/sshd_config", 33)
CRYPT = CryptEntry(
    Location("/etc/crypttab", 1), "data", "UUID=gone", NamedBy.UUID, "/etc/key", ("luks",), False
)
STATIC = replace(DHCP, method=AddressMethod.STATIC, address="192.168.10.20/24")


def bios(**changes: object) -> GuestFacts:
    return replace(BIOS, **changes)  # type: ignore[arg-type]


def uefi(**changes: object) -> GuestFacts:
    return replace(UEFI, **changes)  # type: ignore[arg-type]


def table(*problems: Problem) -> GuestFacts:
    return bios(table=replace(TABLE, problems=problems))


def firewall(**changes: object) -> GuestFacts:
    changed = replace(UFW, **changes)  # type: ignore[arg-type]
    return bios(services=replace(SERVICES, firewalls=(changed,)))


def damaged(code: str) -> GuestFacts:
    return bios(filesystems=(replace(ROOT, problems=(Problem(code, "detail"),)),))


WINDOWS = WINDOWS_BIOS.windows
assert WINDOWS is not None
WINDOWS_NETWORK = WINDOWS_BIOS.network
assert WINDOWS_NETWORK is not None
WINDOWS_STATIC = replace(
    WINDOWS_NETWORK.interfaces[0], method=AddressMethod.STATIC, address="192.168.7.20/255.255.255.0"
)
FIREWALL_OFF = tuple(FirewallProfile(name, False) for name in ("domain", "private", "public"))


def windows(**changes: object) -> GuestFacts:
    """A Windows with facts of its own changed."""
    return replace(WINDOWS_BIOS, windows=replace(WINDOWS, **changes))  # type: ignore[arg-type]


def services(**changes: object) -> tuple[WindowsService, ...]:
    """Those of the disk changed."""
    assert WINDOWS is not None
    disk = ("viostor", "vioscsi")
    return tuple(
        replace(s, **changes) if s.name in disk else s  # type: ignore[arg-type]
        for s in WINDOWS.services or ()
    )


def only(name: str, **changes: object) -> tuple[WindowsService, ...]:
    """One of them changed."""
    assert WINDOWS is not None
    return tuple(
        replace(s, **changes) if s.name == name else s  # type: ignore[arg-type]
        for s in WINDOWS.services or ()
    )


def btrfs(options: str, flags: str = "subvol=@", subvolume: int = 256) -> GuestFacts:
    """A root on a btrfs, in `subvolume`; its line in fstab with `options`, its command line with
    rootflags."""
    root = replace(
        ROOT,
        type="btrfs",
        subvolumes=(Subvolume(256, "@", readonly=False), Subvolume(257, "@/old", readonly=True)),
        default_subvolume=5,
    )
    line = replace(FSTAB, type="btrfs", options=("defaults", *options.split(",")), filesystem=0)
    loader = entry(command_line=f"{ENTRY.command_line} rootflags={flags}")
    return bios(filesystems=(root,), fstab=(line,), bootloader=loader, root_subvolume=subvolume)
