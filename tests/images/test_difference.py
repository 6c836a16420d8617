"""`inspect --diff` of a disk and of one with a fault names what the fault changed, and no more.

The expected names are what the corpus' own builder does to the disk (`build/faults.py`).
"""

from __future__ import annotations

import re

import pytest

from support.command import Command
from support.image_corpus import Disk, disks, folder

DELTAS = [disk for disk in disks("linux") if disk.base is not None]
FSTAB = ["~ /etc/fstab"]
# Patterns, each of which names a line at least; and every line is named by one of them
CHANGED: dict[str, list[str]] = {
    "fault-fstab-device-name": FSTAB,
    "fault-fstab-other-disk": FSTAB,
    "fault-fstab-unknown-uuid": FSTAB,
    "fault-fstab-huge": FSTAB,
    "fault-grub-root-device-name": ["~ /boot/grub/grub.cfg"],
    "fault-grub-config-missing": ["- /boot/grub/grub.cfg"],
    "fault-kernel-missing": [r"- /boot/vmlinuz-\S+"],
    "fault-initramfs-no-virtio": [r"~ /boot/initrd\.img-\S+"],
    "fault-initramfs-missing": [r"- /boot/initrd\.img-\S+"],
    "fault-initramfs-corrupt": [r"~ /boot/initrd\.img-\S+"],
    "fault-net-persistent-rules": [r"\+ /etc/udev/rules.d/70-persistent-net.rules"],
    "fault-net-static-interfaces": ["~ /etc/network/interfaces"],
    "fault-net-static-netplan": [
        "~ /etc/network/interfaces",
        r"\+ /etc/netplan/01-netcfg.yaml",
    ],
    "fault-net-mac-pinned": [r"\+ /etc/systemd/network/10-eth0.link"],
    "fault-cloud-init-missing": [
        "- /usr/bin/cloud-init.*",
        "- /usr/lib/systemd/system/cloud-.*",
        "- /etc/cloud/.*",
        "- /var/lib/dpkg/info/cloud-init.*",
        "- /etc/systemd/system/cloud-init.target.wants/.*",
        "~ /var/lib/dpkg/status",
    ],
    "fault-cloud-init-disabled": [r"\+ /etc/cloud/cloud-init.disabled"],
    "fault-root-empty-password": ["~ /etc/shadow"],
    "fault-ssh-root-login-refused": ["~ /etc/ssh/sshd_config"],
    "fault-ssh-host-keys-left": [r"\+ /etc/ssh/ssh_host_ed25519_key(\.pub)?"],
    "fault-machine-id-left": ["~ /etc/machine-id"],
    "fault-os-release-missing": ["- /etc/os-release", "- /usr/lib/os-release"],
    "fault-os-release-escapes": ["~ /etc/os-release", "- /usr/lib/os-release"],
    "fault-link-loop": ["~ /etc/ssh/sshd_config", r"\+ /etc/ssh/sshd_config.d/x.conf"],
    "good-os-release-absolute": ["~ /etc/os-release"],
    "fault-secrets-left": [
        r"\+ /root/.bash_history",
        r"\+ /root/.aws/credentials",
        r"\+ /root/.ssh/id_rsa",
        r"\+ /root/.ssh/id_rsa.pub",
    ],
    "fault-disk-nearly-full": [r"\+ /var/log/big.log"],
    "fault-esp-no-fallback": ["- /boot/efi/EFI/BOOT/BOOTX64.EFI"],
    # Outside of every file; and what facts say of it
    "fault-mbr-no-active-partition": [],
    "fault-bootloader-missing": [],
    "fault-filesystem-dirty": [],
    "fault-gpt-backup-missing": [],
    "good-nested-table": [],
}
FACTS = {
    "fault-mbr-no-active-partition": "guest.table.partitions.0.active",
    "fault-bootloader-missing": "guest.table.boot_code",
    "fault-filesystem-dirty": "guest.filesystems.0.dirty",
    "fault-gpt-backup-missing": "guest.table.problems.0",
    "fault-esp-no-fallback": "guest.bootloader.esp_fallback",
    "fault-fstab-device-name": "guest.fstab.0.spec",
    "fault-ssh-root-login-refused": "guest.ssh.root_login",
}
SIGNS = {"added": "+", "removed": "-", "changed": "~"}


def test_every_delta_is_expected() -> None:
    assert {disk.name for disk in DELTAS} == set(CHANGED)


@pytest.mark.parametrize("disk", DELTAS, ids=str)
def test_a_fault_is_named_and_nothing_else(disk: Disk, diskwright: Command) -> None:
    words = ["inspect", "--diff", "--files", "--output", "json"]
    options = ["--allow-backing-under", folder() / "linux"]
    ended = diskwright(*words, *options, folder() / str(disk.base), folder() / disk.file)
    assert (ended.code, ended.err) == (0, "")
    found = ended.document["results"][0]["difference"]
    lines = [
        f"{SIGNS[one['change']]} {one['path']}" for one in found["configuration"] + found["files"]
    ]
    patterns = CHANGED[disk.name]
    assert [line for line in lines if not any(re.fullmatch(p, line) for p in patterns)] == []
    assert [p for p in patterns if not any(re.fullmatch(p, line) for line in lines)] == []
    gone = [(one["change"], one["name"]) for one in found["packages"]]
    assert gone == ([("removed", "cloud-init")] if "cloud-init-missing" in disk.name else [])
    if disk.name in FACTS:
        assert FACTS[disk.name] in [one["path"] for one in found["facts"]]
