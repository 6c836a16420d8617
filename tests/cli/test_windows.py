"""A Windows guest from its disk to the report, read in the confined child.

Its C: is a FAT here, which a real one never is: what reads a file system is another's affair.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from support.command import Command
from support.guest_disks import run
from support.windows_guest import CURRENT, files

START = 1 << 20
SIZE = 1087 << 20  # a smaller system disk is refused


def disk(path: Path, changes: dict[str, object]) -> Path:
    """An MBR with one active partition."""
    folder = path.parent / "c"
    for name, content in files(changes).items():
        file = folder / name.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        assert isinstance(content, str | bytes)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
    with path.open("wb") as image:
        image.truncate(START + SIZE)
    run("sfdisk", "-q", path, input=f"label: dos\nstart={START // 512}, type=7, bootable\n")
    with path.open("r+b") as image:
        image.write(b"\x33\xc0\x8e\xd0".ljust(440, b"\x90"))
    run("mkfs.vfat", "-F", "32", "--offset", str(START // 512), path, str(SIZE // 1024))
    run("mcopy", "-s", "-i", f"{path}@@{START}", *folder.iterdir(), "::/")
    return path


OFF = {f"{CURRENT}\\Services\\{name}\\Start": 4 for name in ("viostor", "vioscsi")}


@pytest.mark.parametrize(
    ("changes", "against"),
    [({}, {}), (OFF, {"boot.windows-virtio-disabled": "fail"})],
    ids=["good", "disabled"],
)
def test_a_windows_is_told_and_judged(
    changes: dict[str, object], against: dict[str, str], diskwright: Command, tmp_path: Path
) -> None:
    image = disk(tmp_path / "disk.raw", changes)
    told = diskwright("inspect", image)
    assert told.code == 0, told.err
    assert "Windows Server 2022 Standard (windows-server 10.0.20348), x86_64" in told.out
    assert "bootmgr, starts by bios" in told.out
    judged = diskwright("validate", "--profile", "huawei-ims", "--output", "json", image)
    found = {f["id"]: f["result"] for f in judged.document["results"][0]["findings"]}
    assert {i: r for i, r in found.items() if r in ("fail", "warn", "unknown")} == against
    assert found["boot.initramfs-no-virtio"] == "skip"
    assert judged.code == (3 if against else 0)
