"""What is told of a Windows disk's registry is what hivexget reads of the same hive, taken out of
the NTFS by ntfscat; where a file is, what ntfsls lists."""

from __future__ import annotations

import subprocess
from functools import partial
from pathlib import Path

import pytest

from diskwright.guest.inspect import inspect_guest
from diskwright.model.network import AddressMethod
from support.guest_disks import FileDisk, run
from support.image_corpus import Disk, disks, flatten

MIB = 1 << 20
CONFIG = "Windows/System32/config"
VERSION = r"Microsoft\Windows NT\CurrentVersion"
SERVICES = r"ControlSet001\Services"


@pytest.mark.parametrize("disk", disks("windows"), ids=str)
def test_the_registry_as_hivexget_reads_it(disk: Disk, work: Path) -> None:
    image = flatten(disk.file, work, "raw")
    facts = inspect_guest(FileDisk(image))
    assert (facts.table, facts.root) != (None, None)
    assert facts.table is not None
    assert facts.filesystems is not None
    assert facts.root is not None
    number = facts.filesystems[facts.root].partition
    (part,) = (p for p in facts.table.partitions if p.number == number)
    volume = work / "volume"
    with image.open("rb") as source, volume.open("wb") as target:
        source.seek(part.start)
        for _ in range(0, part.length, MIB):
            target.write(source.read(MIB))
        target.truncate(part.length)
    software, system = (taken_out(volume, hive, work) for hive in ("SOFTWARE", "SYSTEM"))
    said = partial(value, software, VERSION)
    windows = facts.windows
    assert windows is not None
    assert windows.product == said("ProductName")
    assert windows.edition == said("EditionID")
    assert windows.installation == said("InstallationType")
    assert (windows.build or "").partition(".")[0] == said("CurrentBuildNumber")
    assert windows.services
    for service in windows.services:
        of = partial(value, system, rf"{SERVICES}\{service.name}")
        assert service.start == number_of(of("Start"))
        assert service.type == number_of(of("Type"))
        assert service.image_path == of("ImagePath")
        assert service.file is not None
        folder, _, name = service.file.rpartition("/")
        listed = run("ntfsls", "-p", folder, volume).lower().splitlines()
        assert service.file_exists is (name.lower() in listed)
    assert windows.remote_desktop is (
        number_of(value(system, r"ControlSet001\Control\Terminal Server", "fDenyTSConnections"))
        == 0
    )
    assert facts.network is not None
    for interface in facts.network.interfaces:
        key = rf"{SERVICES}\Tcpip\Parameters\Interfaces\{interface.name}"
        dhcp = number_of(value(system, key, "EnableDHCP"))
        assert (interface.method is AddressMethod.DHCP) is (dhcp == 1)


def taken_out(volume: Path, hive: str, work: Path) -> Path:
    path = work / hive
    with path.open("wb") as target:
        argv = ["ntfscat", volume, f"{CONFIG}/{hive}"]
        subprocess.run(argv, stdout=target, check=True)
    return path


def value(hive: Path, key: str, name: str) -> str:
    return run("hivexget", hive, key, name).rstrip("\n")


def number_of(text: str) -> int:
    """hivexget prints a DWORD as a number, in whichever notation."""
    return int(text, 0)
