"""A package's members are those that tar itself finds, byte for byte, however it was packed."""

from __future__ import annotations

import subprocess
import tarfile
from pathlib import Path

import pytest

from diskwright.formats.identity import open_image
from diskwright.formats.package.ova import read_package, verify_digests
from diskwright.formats.source import ImageSource
from support.packages import descriptor, file, manifest

DISK = bytes(range(251)) * 999
NAMES = {"short": "a.vmdk", "long": "l" * 150 + ".vmdk", "other letters": "größe 1.vmdk"}
PACKERS = {
    "gnu": ["--format=gnu"],
    "oldgnu": ["--format=oldgnu"],
    "pax": ["--format=posix"],
    "pax with times": ["--format=posix", "--pax-option=globexthdr.name=x,comment=made"],
    "ustar": ["--format=ustar"],
    "numeric": ["--format=gnu", "--numeric-owner", "--owner=3000000:5", "--mtime=@99999999999"],
}


def packed(folder: Path, name: str, options: list[str]) -> Path:
    about = descriptor(files=file("f1", name))
    for member, data in (
        ("web.ovf", about),
        (name, DISK),
        ("web.mf", manifest(("web.ovf", about), (name, DISK))),
    ):
        (folder / member).write_bytes(data)
    argv = ["tar", "-C", str(folder), *options, "-cf", str(folder / "web.ova")]
    subprocess.run([*argv, "web.ovf", "web.mf", name], check=True)
    return folder / "web.ova"


CASES = [(packer, name) for packer in PACKERS for name in NAMES]
CASES.remove(("ustar", "long"))  # more than 100 characters are only for folders there


@pytest.mark.parametrize(("packer", "name"), CASES)
def test_members_are_those_that_tar_finds(packer: str, name: str, tmp_path: Path) -> None:
    path = packed(tmp_path, NAMES[name], PACKERS[packer])
    fd, identity = open_image(str(path))
    source = ImageSource(fd, str(path), identity.size)
    found = read_package(source)
    with tarfile.open(path) as tar:
        expected = [(each.name, each.offset_data, each.size) for each in tar.getmembers()]
    assert [(each.name, each.offset, each.size) for each in found.members] == expected
    listed = subprocess.run(
        ["tar", "--quoting-style=literal", "-tf", path], check=True, capture_output=True
    )
    assert [each.name for each in found.members] == listed.stdout.decode().splitlines()
    assert source.read(found.disks[0].offset, found.disks[0].size) == DISK
    assert verify_digests(source, found, lambda count: None).digests_verified
