"""What is read of a guest's boot loader, from trees in memory."""

from __future__ import annotations

from collections.abc import Mapping

from diskwright.guest.boot_paths import BootPaths
from diskwright.guest.bootloader import read_bootloader
from diskwright.guest.devices import DiskNames
from diskwright.guest.esp import EspFacts, read_esp
from diskwright.guest.tree import GuestTree
from diskwright.model.guest import Bootloader, FileSystem
from diskwright.model.partitions import Partition, PartitionRole, PartitionTable, TableKind
from support.fake_guest import Content, FakeFs
from support.pe_maker import pe

FILESYSTEMS = (
    FileSystem("vfat", 1, True, uuid="D15C-0001"),
    FileSystem("ext4", 2, True, uuid="boot-uuid"),
    FileSystem("ext4", 3, True, uuid="root-uuid"),
    FileSystem("swap", 4, False, uuid="swap-uuid"),
)
SYSTEMD_BOOT = pe({".sdmagic": b"#### LoaderInfo: systemd-boot 252 ####\0"})


def table(*, boot_code: bool = False, bios_core: bool | None = False) -> PartitionTable:
    partitions = tuple(Partition(n, n << 20, 1 << 20, PartitionRole.LINUX, "") for n in range(1, 5))
    return PartitionTable(TableKind.GPT, 512, partitions, boot_code=boot_code, bios_core=bios_core)


def read_boot(
    root: Mapping[str, Content],
    *,
    boot: Mapping[str, Content] | None = None,
    esp: Mapping[str, Content] | None = None,
    xbootldr: bool = False,
    disk: PartitionTable | None = None,
    architecture: str | None = "x86_64",
) -> tuple[Bootloader, str]:
    """`boot` is a partition at /boot, an XBOOTLDR if so said; `esp` is one at /efi."""
    tree = GuestTree(FakeFs(root))
    mounts = {2: "/"}
    if boot is not None:
        tree.mount("/boot", FakeFs(boot))
        mounts[1] = "/boot"
    facts = EspFacts()
    if esp is not None:
        tree.mount("/efi", FakeFs(esp))
        alone = GuestTree(FakeFs({}))
        alone.mount("/efi", FakeFs(esp))
        facts = read_esp(alone, "/efi", architecture)
        mounts[0] = "/efi"
    found = disk or table()
    names = DiskNames(FILESYSTEMS, found)
    paths = BootPaths(tree, names, mounts, "/boot" if xbootldr else None)
    return read_bootloader(tree, paths, found, facts)
