"""Disks that pass `validate` start on virtio alone, in the memory that is stated; one that fails
for want of a driver does not.

One disk of the corpus is whole enough to start, `debian12-bios-ext4`. The second one here is not
another installation: it is the same file system on a disk that starts by UEFI, sealed by `prepare`
and brought back by `restore`. scripts/boot-test builds two more from Debian's archive, which needs
root and the network, and runs this file with them (DISKWRIGHT_WHOLE).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from support.booting import boot, with_uefi
from support.command import Command
from support.image_corpus import flatten

HOST = "web-01"  # as all of them are called
BUILT = sorted(Path(os.environ.get("DISKWRIGHT_WHOLE") or os.devnull).glob("*.qcow2"))


def attributes(diskwright: Command, disk: Path) -> dict[str, Any]:
    """What an import is told of a disk that nothing stands against."""
    validated = diskwright("validate", "--strict", "--output", "json", disk)
    assert validated.code == 0, validated.out
    assert validated.document["results"][0]["ready"] is True
    planned = diskwright(
        "prepare", "--dry-run", "--output", "json", disk, "--to", f"dir:{disk.parent}/nowhere"
    )
    told: dict[str, Any] = planned.document["results"][0]["made"]["attributes"]
    return told


def assert_starts(diskwright: Command, disk: Path, boot_mode: str, work: Path) -> None:
    stated = attributes(diskwright, disk)
    assert stated["boot_mode"] == boot_mode
    uefi = boot_mode == "uefi"
    booted = boot(disk, work, memory_mib=stated["min_memory_mib"], uefi=uefi)
    assert booted.host == HOST, booted


def test_a_disk_of_the_corpus_starts_by_bios(diskwright: Command, work: Path) -> None:
    disk = flatten("linux/debian12-bios-ext4.qcow2", work, "qcow2")
    assert_starts(diskwright, disk, "bios", work)


def test_what_was_sealed_and_restored_starts_by_uefi(diskwright: Command, work: Path) -> None:
    raw = with_uefi(flatten("linux/debian12-bios-ext4.qcow2", work, "raw"), work)
    key = ("--key", f"local:{work / 'kek.json'}")
    library = f"dir:{work / 'library'}"
    restored = work / "restored.qcow2"
    for words in (
        ("key", "new", work / "kek.json"),
        ("prepare", raw, "--to", library, *key),
        ("restore", library, restored, "-O", "qcow2", *key),
    ):
        ended = diskwright(*words)
        assert ended.code == 0, ended.err
    assert_starts(diskwright, restored, "uefi", work)


@pytest.mark.parametrize("disk", BUILT, ids=lambda path: path.stem)
def test_a_disk_that_was_built_starts(disk: Path, diskwright: Command, work: Path) -> None:
    mode = "uefi" if "uefi" in disk.stem else "bios"
    assert_starts(diskwright, disk, mode, work)


def test_without_a_driver_it_ends_in_its_initramfs(diskwright: Command, work: Path) -> None:
    disk = flatten("linux/fault-initramfs-no-virtio.qcow2", work, "qcow2")
    validated = diskwright("validate", "--output", "json", disk)
    failed = [f for f in validated.document["results"][0]["findings"] if f["result"] == "fail"]
    assert [finding["id"] for finding in failed] == ["boot.initramfs-no-virtio"]
    booted = boot(disk, work, memory_mib=1024)
    assert booted.in_initramfs, booted
    assert booted.host is None
