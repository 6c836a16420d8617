"""A real Linux disk, from its partition table to its files."""

from __future__ import annotations

from pathlib import Path

import pytest

from diskwright.guest.partitions import read_table
from diskwright.guest.probe import probe
from diskwright.guest.source import Source
from diskwright.guest.tree import GuestTree
from diskwright.model.partitions import PartitionRole, TableKind
from support.guest_disks import FIXTURES, FileDisk, run

ROOT_UUID = "5d1c0de0-0001-4a11-9000-0000000000a1"


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    raw = tmp_path_factory.mktemp("debian") / "disk.raw"
    run("qemu-img", "convert", "-O", "raw", FIXTURES / "debian12-uefi-ext4.qcow2", raw)
    return raw


def test_a_real_disk_is_read_from_its_table_to_its_files(disk: Path) -> None:
    below = FileDisk(disk)
    source = Source(below)
    table = read_table(source)
    assert (table.kind, table.problems, table.bios_core) == (TableKind.GPT, (), False)
    assert [p.role for p in table.partitions] == [PartitionRole.ESP, PartitionRole.LINUX]
    esp, root = (probe(source.window(p.start, p.length), p.number) for p in table.partitions)
    assert esp is not None
    assert root is not None
    assert (esp.facts.type, esp.facts.uuid, esp.facts.read) == ("vfat", "D15C-0001", True)
    assert (root.facts.type, root.facts.uuid, root.facts.dirty) == ("ext4", ROOT_UUID, False)
    assert esp.reader is not None
    assert root.reader is not None
    guest = GuestTree(root.reader)
    guest.mount("/boot/efi", esp.reader)
    assert f"UUID={ROOT_UUID} / " in " ".join(guest.read_text("/etc/fstab").split())
    assert "PRETTY_NAME" in guest.read_text("/etc/os-release")
    assert guest.size("/boot/efi/EFI/BOOT/BOOTX64.EFI") > 100_000
    assert any(name.startswith("vmlinuz-") for name in guest.names("/boot"))
    assert below.reads < 100


def test_files_are_those_that_debugfs_reads(disk: Path, tmp_path: Path) -> None:
    source = Source(FileDisk(disk))
    place = read_table(source).partitions[1]
    found = probe(source.window(place.start, place.length), 2)
    assert found is not None
    assert found.reader is not None
    guest = GuestTree(found.reader)
    image = f"{disk}?offset={place.start}"
    for path in ("/etc/fstab", "/var/lib/dpkg/status", "/boot/grub/grub.cfg", "/usr/bin/bash"):
        copy = tmp_path / "copy"
        run("debugfs", "-R", f"dump {path} {copy}", image)
        assert b"".join(guest.stream(path)) == copy.read_bytes()
