"""Remedies are those of the guest's own system, and do what they say."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from diskwright._values import replace
from diskwright.model.finding import Finding, Result
from diskwright.model.guest import CloudInit, CryptEntry, FileSystem, GuestFacts, NamedBy, OsRelease
from diskwright.model.location import Location
from diskwright.model.services import ServiceState
from diskwright.rules import judge
from support.good_facts import BIOS, DATE, IMAGE, MINIMUM, OS, PROFILE

ALPINE, ARCH = replace(OS, id="alpine", like=()), replace(OS, id="arch", like=())
UBUNTU = replace(OS, id="ubuntu", like=("debian",))
MINT = replace(OS, id="linuxmint", like=("ubuntu", "debian"))


def finding(guest: GuestFacts, rule: str) -> Finding:
    verdict = judge(IMAGE, guest, PROFILE, minimum=MINIMUM, database_date=DATE)
    (found,) = [finding for finding in verdict.findings if finding.id == rule]
    assert found.result in (Result.FAIL, Result.WARN)
    return found


def without_ssh(system: OsRelease, state: ServiceState | None) -> GuestFacts:
    assert BIOS.services is not None
    assert BIOS.ssh is not None
    services = replace(BIOS.services, ssh=state)
    return replace(BIOS, os=system, services=services, ssh=replace(BIOS.ssh, installed=False))


@pytest.mark.parametrize(
    ("system", "install", "enable"),
    [
        (ALPINE, "apk add openssh", "rc-update add sshd default"),
        (ARCH, "pacman -S openssh", "systemctl enable sshd"),
        (UBUNTU, "apt-get install openssh-server", "systemctl enable ssh"),
    ],
)
def test_an_ssh_server(system: OsRelease, install: str, enable: str) -> None:
    rule = "access.ssh-server-off"
    missing = finding(without_ssh(system, None), rule)
    assert missing.remedy.splitlines() == [install, enable]
    off = finding(without_ssh(system, ServiceState.DISABLED), rule)
    assert off.remedy.splitlines() == [enable]


@pytest.mark.parametrize(
    ("system", "install", "enable"),
    [
        (ALPINE, "apk add cloud-init", "setup-cloud-init"),
        (ARCH, "pacman -S cloud-init", "systemctl enable cloud-init-main"),
        (UBUNTU, "apt-get install cloud-init", "systemctl enable cloud-init-local"),
    ],
)
def test_cloud_init(system: OsRelease, install: str, enable: str) -> None:
    guest = replace(BIOS, os=system, cloud_init=CloudInit(installed=False, enabled=None))
    assert finding(guest, "cloud.cloud-init-missing").remedy.startswith(install)
    guest = replace(guest, cloud_init=CloudInit(installed=True, enabled=False))
    assert finding(guest, "cloud.cloud-init-disabled").remedy.startswith(enable)


@pytest.mark.parametrize(
    ("system", "package"),
    [
        (OS, "linux-image-amd64"),
        (replace(OS, architecture="aarch64"), "linux-image-arm64"),
        (UBUNTU, "linux-image-generic"),
        (replace(UBUNTU, architecture="aarch64"), "linux-image-generic"),
        (MINT, "linux-image-generic"),
    ],
)
def test_a_kernel_s_package(system: OsRelease, package: str) -> None:
    loader = BIOS.bootloader
    assert loader is not None
    gone = replace(loader.entries[0], kernel_exists=False)
    guest = replace(BIOS, os=system, bootloader=replace(loader, entries=(gone,)))
    remedy = finding(guest, "boot.kernel-missing").remedy.splitlines()
    assert remedy[0] == f"apt-get install --reinstall {package}"


LUKS = FileSystem("crypto_LUKS", 3, False, uuid="1b2c-3d4e")


@pytest.mark.parametrize(
    ("line", "on_disk", "expected"),
    [
        ("data /dev/sda3 none luks\n", True, "data UUID=1b2c-3d4e none luks\n"),
        ("  data\t/dev/sda3\n", True, "  data\tUUID=1b2c-3d4e\n"),
        ("data /dev/sdb3 none luks\n", False, "# data /dev/sdb3 none luks\n"),
    ],
)
def test_what_is_to_be_decrypted(tmp_path: Path, line: str, on_disk: bool, expected: str) -> None:
    table = tmp_path / "crypttab"
    table.write_text("# a comment\n" + line + "other /dev/sda3\n")
    name, spec, *_ = line.split()
    entry = CryptEntry(Location(str(table), 2), name, spec, NamedBy.DEVICE, None, (), on_disk)
    guest = replace(BIOS, crypttab=(entry,), filesystems=(*(BIOS.filesystems or ()), LUKS))
    remedy = finding(guest, "boot.crypttab-unknown-device").remedy.splitlines()
    assert ("blkid" in remedy) is on_disk
    subprocess.run(["sh", "-ec", remedy[-1]], check=True)
    assert table.read_text() == "# a comment\n" + expected + "other /dev/sda3\n"
