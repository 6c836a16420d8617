"""What `validate` says of every disk of the corpus: the fault that it has, and no other.

The result is a warning where the disk starts and is reached all the same; a person can live with
it, and `--strict` does not. A second, lawful reading of a fault is `unknown`, by name.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from support.command import Command
from support.image_corpus import Disk, disks, flatten


@dataclass(frozen=True)
class Found:
    """The finding's id, its result, and what can't be told any more because of the fault."""

    id: str
    result: str
    unknown: frozenset[str] = frozenset()


def found(rule: str, result: str = "fail", *unknown: str) -> Found:
    return Found(rule, result, frozenset(unknown))


MINIMUMS = ("memory.minimum", "disk.minimum")
ENTRIES = (
    "boot.kernel-missing",
    "boot.initramfs-missing",
    "boot.grub-root-device-name",
    "boot.grub-root-unknown",
)
# By the manifest's name of the finding.
EXPECTED = {
    "fstab-device-name": found("boot.fstab-device-name"),
    "fstab-other-disk": found("boot.fstab-other-disk"),
    "fstab-unknown-uuid": found("boot.fstab-unknown-uuid"),
    # What an fstab that is too large says is not known, so not that the disk does not start.
    "fstab-unreadable": found(
        "boot.fstab-unreadable",
        "warn",
        "boot.fstab-device-name",
        "boot.fstab-other-disk",
        "boot.fstab-unknown-uuid",
    ),
    "grub-root-device-name": found("boot.grub-root-device-name"),
    "grub-config-missing": found("boot.grub-config-missing", "fail", *ENTRIES),
    "kernel-missing": found("boot.kernel-missing"),
    "initramfs-no-virtio": found("boot.initramfs-no-virtio"),
    "initramfs-missing": found("boot.initramfs-missing", "fail", "boot.initramfs-no-virtio"),
    # It may have held udev rules as well.
    "initramfs-corrupt": found(
        "boot.initramfs-corrupt",
        "fail",
        "boot.initramfs-no-virtio",
        "network.net-persistent-rules",
    ),
    "bootloader-missing": found("boot.bootloader-missing"),
    # GRUB's own boot code needs no active partition, and that is what is in this disk's MBR.
    "mbr-no-active-partition": found("boot.mbr-no-active-partition", "warn"),
    "gpt-backup-missing": found("disk.gpt-backup-missing", "warn"),
    "esp-no-fallback": found("boot.esp-no-fallback"),
    "net-persistent-rules": found("network.net-persistent-rules"),
    "net-static-address": found("network.net-static-address"),
    "net-mac-pinned": found("network.net-mac-pinned"),
    "cloud-init-missing": found("cloud.cloud-init-missing", "warn"),
    "cloud-init-disabled": found("cloud.cloud-init-disabled", "warn"),
    # A guest that does not say what it is has no known minimums.
    "os-release-missing": found("os.os-release-missing", "warn", *MINIMUMS),
    "guest-link-escapes": found(
        "guest.guest-link-escapes", "warn", "os.os-release-missing", *MINIMUMS
    ),
    "root-empty-password": found("access.root-empty-password"),
    "ssh-root-login-refused": found("access.ssh-root-login-refused", "warn"),
    "ssh-host-keys-left": found("privacy.ssh-host-keys-left", "warn"),
    "machine-id-left": found("privacy.machine-id-left", "warn"),
    "secrets-left": found("privacy.secrets-left", "warn"),
    "disk-nearly-full": found("disk.disk-nearly-full", "warn"),
    # It is in sshd's configuration: what that says, nobody knows.
    "guest-link-loop": found(
        "guest.guest-link-loop",
        "warn",
        "access.ssh-root-login-refused",
        "privacy.ssh-host-keys-left",
    ),
    "filesystem-dirty": found("disk.filesystem-dirty", "warn"),
}
LINUX = disks("linux")
GOOD = [disk for disk in LINUX if disk.expected_finding == "none"]
FAULTY = [disk for disk in LINUX if disk.base and disk.expected_finding != "none"]


def validated(command: Command, path: Path) -> tuple[int, list[dict[str, Any]]]:
    ended = command("validate", "--profile", "huawei-ims", "--output", "json", path)
    result = ended.document["results"][0]
    assert result["error"] is None, result
    return ended.code, result["findings"]


def by_result(findings: list[dict[str, Any]], *results: str) -> dict[str, str]:
    return {f["id"]: f["result"] for f in findings if f["result"] in results}


def test_every_disk_of_the_manifest_is_looked_at() -> None:
    assert {disk.file for disk in LINUX} == {
        *(disk.file for disk in GOOD),
        *(disk.file for disk in FAULTY),
    }
    assert {disk.expected_finding for disk in FAULTY} == set(EXPECTED)


@pytest.mark.parametrize("image_format", ["qcow2", "raw"])
@pytest.mark.parametrize("disk", GOOD, ids=str)
def test_nothing_is_said_against_a_good_disk(
    disk: Disk, image_format: str, diskwright: Command, work: Path
) -> None:
    code, findings = validated(diskwright, flatten(disk.file, work, image_format))
    assert by_result(findings, "fail", "warn", "unknown") == {}
    assert len(by_result(findings, "pass")) > 30
    assert code == 0


@pytest.mark.parametrize("disk", FAULTY, ids=str)
def test_a_single_fault_is_found_and_no_other(disk: Disk, diskwright: Command, work: Path) -> None:
    code, findings = validated(diskwright, flatten(disk.file, work, "qcow2"))
    said = by_result(findings, "fail", "warn")
    expected = EXPECTED[disk.expected_finding]
    assert expected.id.partition(".")[2] == disk.expected_finding
    assert said == {expected.id: expected.result}
    assert set(by_result(findings, "unknown")) == expected.unknown
    assert code == (3 if expected.result == "fail" else 0)
    told = next(f for f in findings if f["id"] == expected.id)
    assert told["message"]
    assert told["remedy"]
