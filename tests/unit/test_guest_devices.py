"""Devices are known by how they are named, and found on this disk or not."""

import pytest

from diskwright.guest.devices import DiskNames, name_device
from diskwright.model.guest import FileSystem, NamedBy
from diskwright.model.partitions import Partition, PartitionRole, PartitionTable, TableKind

ROOT = FileSystem("ext4", 2, True, uuid="5d1c0de0-0001-4a11-9000-0000000000a1", label="root")
ESP = FileSystem("vfat", 1, True, uuid="D15C-0001", label="ESP")


def part(number: int, role: PartitionRole = PartitionRole.LINUX) -> Partition:
    return Partition(number, number << 20, 1 << 20, role, "83", f"0000-0{number}", f"part {number}")


def disk(*filesystems: FileSystem, parts: int = 2) -> DiskNames:
    partitions = tuple(part(n) for n in range(1, parts + 1))
    table = PartitionTable(TableKind.GPT, 512, partitions, boot_code=True, bios_core=None)
    return DiskNames(filesystems or (ESP, ROOT), table)


@pytest.mark.parametrize(
    ("spec", "fs_type", "expected"),
    [
        ("UUID=5d1c0de0-0001-4a11-9000-0000000000a1", "ext4", NamedBy.UUID),
        ('UUID="D15C-0001"', "vfat", NamedBy.UUID),
        ("LABEL=root", "ext4", NamedBy.LABEL),
        ("PARTUUID=0000-01", "ext4", NamedBy.PARTUUID),
        ("PARTLABEL=boot", "ext4", NamedBy.PARTLABEL),
        ("/dev/sda1", "ext4", NamedBy.DEVICE),
        ("/dev/nvme0n1p1", "ext4", NamedBy.DEVICE),
        ("/dev/disk/by-id/ata-QEMU_HARDDISK_1-part1", "ext4", NamedBy.DEVICE),
        ("/dev/disk/by-path/pci-0000:00:1f.2-ata-1-part1", "ext4", NamedBy.DEVICE),
        ("/dev/disk/by-uuid/D15C-0001", "vfat", NamedBy.BY_LINK),
        ("/dev/disk/by-label/root", "ext4", NamedBy.BY_LINK),
        ("/dev/mapper/vg0-root", "xfs", NamedBy.MAPPER),
        ("/dev/vg0/root", "xfs", NamedBy.MAPPER),
        ("tmpfs", "tmpfs", NamedBy.PSEUDO),
        ("none", "swap", NamedBy.PSEUDO),
        ("server:/export", "nfs", NamedBy.NETWORK),
        ("server:/export", "auto", NamedBy.NETWORK),
        ("//server/share", "cifs", NamedBy.NETWORK),
        ("/swapfile", "swap", NamedBy.OTHER),
        ("/dev/md0", "ext4", NamedBy.OTHER),
    ],
)
def test_a_device_is_told_by_its_name(spec: str, fs_type: str, expected: NamedBy) -> None:
    assert name_device(spec, fs_type) is expected


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("UUID=5D1C0DE0-0001-4A11-9000-0000000000A1", True),
        ("UUID=d15c-0001", True),
        ("LABEL=root", True),
        ("LABEL=Root", False),
        ("UUID=deadbeef-0000-4000-8000-00000000dead", False),
        ("PARTUUID=0000-02", True),
        ("PARTUUID=0000-09", False),
        ("PARTLABEL=part 1", True),
        ("/dev/disk/by-partlabel/part\\x201", True),
        ("/dev/disk/by-uuid/D15C-0001", True),
        ("/dev/disk/by-id/anything", None),
        ("/dev/sda2", True),
        ("/dev/vda3", False),
        ("/dev/sdb1", False),
        ("/dev/nvme0n1p2", True),
        ("/dev/nvme1n1p2", False),
        ("/dev/mapper/vg0-root", False),
        ("tmpfs", None),
        ("server:/x", None),
        ("/swapfile", None),
    ],
)
def test_a_device_is_here_or_not(spec: str, expected: bool | None) -> None:
    assert disk().has(spec) is expected


@pytest.mark.parametrize("spec", ["UUID=deadbeef-0000-4000-8000-00000000dead", "/dev/mapper/vg-x"])
def test_what_may_lie_inside_a_container_can_not_be_told(spec: str) -> None:
    assert disk(ESP, FileSystem("LVM2_member", 2, False)).has(spec) is None
    assert disk(ESP, FileSystem("crypto_LUKS", 2, False)).has(spec) is None


def test_a_container_that_was_read_hides_nothing() -> None:
    known = disk(ESP, FileSystem("LVM2_member", 2, True))
    assert known.has("UUID=deadbeef-0000-4000-8000-00000000dead") is False
    assert known.has("/dev/mapper/vg-x") is False


def test_what_a_file_system_that_could_not_be_opened_is_called_can_not_be_told() -> None:
    assert disk(ESP, FileSystem("unknown", 2, False, note="damaged")).has("LABEL=gone") is None


def test_what_may_lie_on_an_unknown_partition_can_not_be_told() -> None:
    assert disk(ESP, ROOT, parts=3).has("UUID=deadbeef-0000-4000-8000-00000000dead") is None


def test_the_file_system_itself_is_found() -> None:
    assert disk().find("LABEL=root") == 1
    assert disk().find("PARTUUID=0000-01") == 0
    assert disk().find("/dev/sda2") == 1
    assert disk().find("UUID=none") is None
