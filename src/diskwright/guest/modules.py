"""Kernel modules by name: of files, of configuration options, of modules.builtin."""

from __future__ import annotations

import re
from collections.abc import Iterable

_SUFFIXES = (".ko", ".ko.xz", ".ko.zst", ".ko.gz", ".ko.bz2", ".ko.lzma")
_BUILT_IN = re.compile(r"^CONFIG_([A-Z0-9_]+)=y$", re.MULTILINE)

# Option to the modules that it makes: Kconfig and Makefile of Linux 6.1, under drivers/ and fs/.
# Drivers that decide whether a server starts and is reached; dashes as underscores.
OPTION_MODULES: dict[str, tuple[str, ...]] = {
    "VIRTIO": ("virtio", "virtio_ring"),
    "VIRTIO_PCI": ("virtio_pci",),
    "VIRTIO_PCI_LIB": ("virtio_pci_modern_dev",),
    "VIRTIO_PCI_LIB_LEGACY": ("virtio_pci_legacy_dev",),
    "VIRTIO_MMIO": ("virtio_mmio",),
    "VIRTIO_BLK": ("virtio_blk",),
    "VIRTIO_NET": ("virtio_net",),
    "VIRTIO_BALLOON": ("virtio_balloon",),
    "VIRTIO_CONSOLE": ("virtio_console",),
    "HW_RANDOM_VIRTIO": ("virtio_rng",),
    "SCSI_VIRTIO": ("virtio_scsi",),
    "XEN_BLKDEV_FRONTEND": ("xen_blkfront",),
    "XEN_NETDEV_FRONTEND": ("xen_netfront",),
    "HYPERV": ("hv_vmbus",),
    "HYPERV_STORAGE": ("hv_storvsc",),
    "HYPERV_NET": ("hv_netvsc",),
    "NVME_CORE": ("nvme_core",),
    "BLK_DEV_NVME": ("nvme",),
    "BLK_DEV_SD": ("sd_mod",),
    "BLK_DEV_DM": ("dm_mod",),
    "ATA": ("libata",),
    "ATA_PIIX": ("ata_piix",),
    "ATA_GENERIC": ("ata_generic",),
    "SATA_AHCI": ("ahci",),
    "ENA_ETHERNET": ("ena",),
    "GVE": ("gve",),
    "HINIC": ("hinic",),
    "IXGBEVF": ("ixgbevf",),
    "MLX5_CORE": ("mlx5_core",),
    "VMXNET3": ("vmxnet3",),
    "VMWARE_PVSCSI": ("vmw_pvscsi",),
    "E1000": ("e1000",),
    "EXT4_FS": ("ext4",),
    "XFS_FS": ("xfs",),
    "BTRFS_FS": ("btrfs",),
    "VFAT_FS": ("vfat",),
    "ISO9660_FS": ("isofs",),
    "UDF_FS": ("udf",),
}
# Each of them depends on VIRTIO or selects it, and what is built in needs no module.
_NEEDS_VIRTIO = frozenset(
    {
        "VIRTIO_PCI",
        "VIRTIO_MMIO",
        "VIRTIO_BLK",
        "VIRTIO_NET",
        "VIRTIO_BALLOON",
        "VIRTIO_CONSOLE",
        "HW_RANDOM_VIRTIO",
        "SCSI_VIRTIO",
    }
)
OF_INTEREST = frozenset(name for names in OPTION_MODULES.values() for name in names)


def module_name(path: str) -> str | None:
    """`…/xen-blkfront.ko.xz` is xen_blkfront; None for what is no module's file."""
    name = path.rpartition("/")[2]
    for suffix in _SUFFIXES:
        if name.endswith(suffix) and name != suffix:
            return name.removesuffix(suffix).replace("-", "_")
    return None


def builtin_modules(listing: str) -> Iterable[str]:
    """Those of interest in the text of a modules.builtin: one path of a .ko a line."""
    names = (module_name(line.strip()) for line in listing.splitlines())
    return [name for name in names if name in OF_INTEREST]


def listed_modules(listing: str) -> tuple[str, ...]:
    """Those of interest in the text of a modules.dep (`path: what it needs`), sorted."""
    lines = (line.partition(":") for line in listing.splitlines())
    names = (module_name(path.strip()) for path, colon, _ in lines if colon)
    return tuple(sorted({name for name in names if name in OF_INTEREST}))


def config_builtins(config: str) -> tuple[str, ...]:
    """Those of interest that a kernel configuration builds in, sorted."""
    options = set(_BUILT_IN.findall(config))
    if options & _NEEDS_VIRTIO:
        options.add("VIRTIO")
    return tuple(sorted({name for o in options for name in OPTION_MODULES.get(o, ())}))
