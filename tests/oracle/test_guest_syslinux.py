"""A disk that syslinux(1) made bootable starts by BIOS."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from diskwright.guest.inspect import inspect_guest
from diskwright.model.partitions import PartitionRole
from support.guest_disks import FileDisk, mbr, run
from support.pe_maker import kernel

CODES = [Path("/usr/lib/syslinux/mbr/mbr.bin"), Path("/usr/share/syslinux/mbr.bin")]
START, SECTORS = 2048, 64 << 11
CONFIG = "DEFAULT linux\nLABEL linux\n LINUX /vmlinuz-virt\n INITRD gone\n APPEND root=UUID=u\n"


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    code = next((path for path in CODES if path.exists()), None)
    if code is None:
        pytest.skip("syslinux is not installed")
    part = tmp_path / "part"
    with part.open("wb") as file:
        file.truncate(SECTORS * 512)
    run("mkfs.vfat", "-F", "32", "-i", "ABCD1234", part)
    for name, content in (("vmlinuz-virt", kernel()), ("syslinux.cfg", CONFIG.encode())):
        (tmp_path / name).write_bytes(content)
    quiet = {**os.environ, "MTOOLS_SKIP_CHECK": "1"}
    run("mmd", "-i", part, "::syslinux", env=quiet)
    run("mcopy", "-i", part, tmp_path / "vmlinuz-virt", "::/", env=quiet)
    run("mcopy", "-i", part, tmp_path / "syslinux.cfg", "::/syslinux/", env=quiet)
    run("syslinux", "--install", "-d", "syslinux", part)
    whole = tmp_path / "disk"
    sector = mbr((0x80, 0x0C, START, SECTORS), code=code.read_bytes())
    whole.write_bytes(sector.ljust(START * 512, b"\0") + part.read_bytes())
    return whole


def test_its_loader_and_its_entry_are_found(disk: Path) -> None:
    facts = inspect_guest(FileDisk(disk))
    assert facts.table is not None
    assert (facts.table.boot_code, facts.table.bios_core) == (True, None)
    assert facts.table.partitions[0].role is not PartitionRole.ESP
    loader = facts.bootloader
    assert loader is not None
    assert (loader.name, loader.bios, loader.config) == (
        "extlinux",
        True,
        "/boot/syslinux/syslinux.cfg",
    )
    (entry,) = loader.entries
    assert (entry.kernel, entry.kernel_exists, entry.default) == ("/boot/vmlinuz-virt", True, True)
    assert (entry.initrds, entry.initrds_exist) == (("/boot/syslinux/gone",), False)
