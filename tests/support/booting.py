"""A disk booted in QEMU with virtio and nothing else, read on its serial console.

Without KVM: a kernel that has it need not let it be used. Nothing is written to the disk that is
named; the guest writes to an overlay.
"""

from __future__ import annotations

import os
import re
import select
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.guest_disks import run
from support.images import qemu_img

FIRMWARE = (Path("/usr/share/OVMF/OVMF_CODE.fd"), Path("/usr/share/ovmf/OVMF.fd"))
GRUB = Path("/usr/lib/grub/x86_64-efi")
LIMIT_S = 900.0  # an idle machine needs less than a tenth

LOGIN = re.compile(rb"\n(\S+) login: ")
_ENDS = re.compile(rb"\n\S+ login: |\(initramfs\)|Kernel panic|grub rescue>|grub> ")


@dataclass(frozen=True)
class Booted:
    """What the console showed up to where it was plain how it ends; `lost`: nothing was plain."""

    console: bytes
    lost: bool

    @property
    def host(self) -> str | None:
        """Who asks for a login; None where nobody does."""
        found = LOGIN.search(self.console)
        return found[1].decode() if found else None

    @property
    def in_initramfs(self) -> bool:
        """It found no root, and left the user in the initramfs' shell."""
        return b"(initramfs)" in self.console

    def __repr__(self) -> str:
        """For a failed test: the last lines."""
        return self.console[-2000:].decode("utf-8", "replace")


def boot(disk: Path, work: Path, *, memory_mib: int, uefi: bool = False) -> Booted:
    """A qcow2 on virtio-blk, a network card by virtio, two processors."""
    qemu = shutil.which("qemu-system-x86_64")
    if qemu is None:
        pytest.skip("qemu-system-x86_64 is not installed: scripts/test-images")
    firmware = next((str(path) for path in FIRMWARE if path.exists()), None)
    if uefi and firmware is None:
        pytest.skip("ovmf is not installed: scripts/test-images")
    overlay = work / "overlay.qcow2"
    qemu_img("create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", disk, overlay)
    argv = [qemu, "-accel", "tcg", "-smp", "2", "-m", str(memory_mib)]
    argv += ["-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-serial", "stdio"]
    argv += ["-drive", f"file={overlay},format=qcow2,if=virtio"]
    argv += ["-netdev", "user,id=net,restrict=on", "-device", "virtio-net-pci,netdev=net"]
    argv += ["-bios", firmware] if uefi and firmware else []
    with subprocess.Popen(
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        try:
            return _watched(process)
        finally:
            process.kill()


def _watched(process: subprocess.Popen[bytes]) -> Booted:
    assert process.stdout is not None
    fd = process.stdout.fileno()
    deadline = time.monotonic() + LIMIT_S
    console = b""
    while select.select([fd], [], [], max(0.0, deadline - time.monotonic()))[0]:
        said = os.read(fd, 1 << 16)
        console += said
        if _ENDS.search(console):
            return Booted(console, lost=False)
        if not said:
            break
    return Booted(console, lost=True)


def with_uefi(disk: Path, work: Path) -> Path:
    """The file system of a BIOS disk (its first partition) on another disk, which starts by UEFI
    alone: a GPT with an EFI system partition, and GRUB on that.
    """
    if not GRUB.is_dir():
        pytest.skip("grub-efi-amd64-bin is not installed: scripts/test-images")
    table = run("sfdisk", "--json", disk)
    found = re.search(r'"start":\s*(\d+),\s*"size":\s*(\d+)', table)
    assert found is not None
    start, size = int(found[1]), int(found[2])
    made = work / "uefi.raw"
    made.touch()
    first = 67584
    os.truncate(made, (first + size + 2048) * 512)
    parts = [("-n", f"1:2048:{first - 1}", "-t", "1:ef00"), ("-n", f"2:{first}:{first + size - 1}")]
    run("sgdisk", *(word for part in parts for word in part), made)
    window = f"driver=raw,offset={start * 512},size={size * 512},file.filename={disk}"
    alone = work / "root.raw"
    run("qemu-img", "convert", "--image-opts", window, "-O", "raw", alone)
    uuid = run("blkid", "-p", "-o", "value", "-s", "UUID", alone).strip()
    _copy_in(alone, made, first * 512)
    _copy_in(_esp(work, uuid), made, 2048 * 512)
    alone.unlink()
    return made


def _copy_in(source: Path, target: Path, offset: int) -> None:
    options = ("bs=1M", "conv=notrunc,sparse", "oflag=seek_bytes", "status=none")
    run("dd", f"if={source}", f"of={target}", f"seek={offset}", *options)


_MODULES = (
    "part_gpt part_msdos fat ext2 normal linux search search_fs_uuid configfile serial terminal "
    "echo test ls cat all_video gzio"
)


def _esp(work: Path, uuid: str) -> Path:
    """GRUB at the fallback path, which reads the root's own configuration."""
    config, program, esp = work / "grub.cfg", work / "grub.efi", work / "esp"
    config.write_text(
        f"search.fs_uuid {uuid} root\nset prefix=($root)/boot/grub\nconfigfile $prefix/grub.cfg\n"
    )
    options = ("-O", "x86_64-efi", "-p", "/EFI/debian", "-c", config, "-o", program)
    run("grub-mkimage", *options, *_MODULES.split())
    esp.touch()
    os.truncate(esp, 32 << 20)
    run("mkfs.vfat", "-n", "ESP", esp)
    run("mmd", "-i", esp, "::/EFI", "::/EFI/BOOT", "::/EFI/debian")
    run("mcopy", "-i", esp, program, "::/EFI/BOOT/BOOTX64.EFI")
    run("mcopy", "-i", esp, program, "::/EFI/debian/grubx64.efi")
    run("mcopy", "-i", esp, config, "::/EFI/debian/grub.cfg")
    return esp
