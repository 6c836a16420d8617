"""Windows guests are judged by the rules that they have, and by no Linux's."""

from __future__ import annotations

from pathlib import Path

import pytest

from diskwright._values import replace
from diskwright.adapters.osinfo import OsinfoDatabase
from diskwright.adapters.osinfo.names import candidates
from diskwright.config_profiles import load_profile
from diskwright.guest.windows.read import SOFTWARE, SYSTEM
from diskwright.model.finding import Finding, Result
from diskwright.model.guest import GuestFacts
from diskwright.model.network import AddressMethod
from diskwright.report.facts import facts_text
from diskwright.rules import import_attributes, judge
from support.fake_guest import Broken
from support.fault_parts import FIREWALL_OFF, WINDOWS_STATIC, services, windows
from support.good_facts import IMAGE, MINIMUM, PROFILE, WINDOWS_BIOS, WINDOWS_UEFI
from support.windows_guest import CURRENT, OS_VERSION, bios, files

BAD = (Result.FAIL, Result.WARN)
OF_LINUX = {
    "boot.grub-config-missing",
    "boot.kernel-missing",
    "boot.initramfs-missing",
    "boot.grub-root-device-name",
    "boot.grub-root-unknown",
    "boot.esp-config-other-disk",
    "boot.initramfs-corrupt",
    "boot.initramfs-no-virtio",
    "boot.fstab-unreadable",
    "boot.fstab-device-name",
    "boot.fstab-other-disk",
    "boot.fstab-unknown-uuid",
    "network.net-persistent-rules",
    "network.net-mac-pinned",
    "access.root-empty-password",
    "access.ssh-root-login-refused",
    "privacy.secrets-left",
    "privacy.ssh-host-keys-left",
    "privacy.machine-id-left",
    "os.os-release-missing",
}
OF_REGISTRY = {
    "boot.windows-virtio-missing",
    "boot.windows-virtio-disabled",
    "disk.windows-hibernated",
    "access.remote-desktop-off",
    "os.pending-reboot",
    "network.dhcp",
    "network.net-static-address",
    "cloud.cloud-init-missing",
    "cloud.cloud-init-disabled",
}


def findings(guest: GuestFacts, profile: str = "huawei-ims") -> dict[str, Finding]:
    verdict = judge(IMAGE, guest, load_profile(profile), minimum=MINIMUM)
    return {finding.id: finding for finding in verdict.findings}


def by_result(guest: GuestFacts, *results: Result) -> set[str]:
    return {i for i, f in findings(guest).items() if f.result in results}


@pytest.mark.parametrize("guest", [WINDOWS_BIOS, WINDOWS_UEFI])
def test_what_only_a_linux_has_is_skipped(guest: GuestFacts) -> None:
    skipped = by_result(guest, Result.SKIP)
    assert skipped >= OF_LINUX
    assert not skipped & OF_REGISTRY
    assert by_result(guest, Result.UNKNOWN, *BAD) == set()


def test_where_logs_were_not_replayed_nothing_is_sure_to_be_good() -> None:
    guest = bios(files(stale=True))
    assert by_result(guest, Result.UNKNOWN) == OF_REGISTRY
    assert by_result(guest, *BAD) == set()
    message = findings(guest)["boot.windows-virtio-disabled"].message
    assert SYSTEM in message
    assert "not replayed" in message
    off = bios(files({f"{CURRENT}\\Control\\Terminal Server\\fDenyTSConnections": 1}, stale=True))
    found = findings(off)["access.remote-desktop-off"]
    assert found.result is Result.WARN
    assert "not replayed" in found.evidence


@pytest.mark.parametrize("path", [SYSTEM, SOFTWARE])
def test_a_hive_that_can_not_be_read_is_unknown_and_no_failure(path: str) -> None:
    guest = bios({**files(), path: Broken()})
    assert by_result(guest, *BAD) == set()
    unknown = by_result(guest, Result.UNKNOWN)
    assert "os.pending-reboot" in unknown
    assert (OF_REGISTRY - {"disk.windows-hibernated"} <= unknown) is (path == SYSTEM)
    assert all(path in findings(guest)[rule].message for rule in unknown)


@pytest.mark.parametrize(
    ("profile", "result"),
    [
        ("huawei-ims", Result.FAIL),
        ("kvm", Result.FAIL),
        ("azure", Result.FAIL),
        ("aws", Result.FAIL),
    ],
)
def test_the_target_says_which_drivers_are_needed(profile: str, result: Result) -> None:
    none = findings(windows(services=()), profile)["boot.windows-virtio-missing"]
    assert none.result is result
    told = {"azure": "storvsc", "aws": "stornvme"}.get(profile, "viostor")
    assert told in none.message


def test_the_driver_of_the_system_disk_has_to_start_and_be_bound() -> None:
    only = services(start=4)
    viostor = replace(only[0], start=0)
    good = windows(services=(viostor, *only[1:]))
    assert findings(good)["boot.windows-virtio-disabled"].result is Result.PASS
    # kvm asks for virtio-blk alone, gcp for virtio-scsi alone
    vioscsi = windows(services=(only[0], replace(only[1], start=0), *only[2:]))
    found = findings(vioscsi)["boot.windows-virtio-disabled"]
    assert found.result is Result.WARN
    assert "viostor: Start=4" in found.evidence
    assert "vioscsi: started at boot" in found.evidence
    assert findings(vioscsi, "gcp")["boot.windows-virtio-disabled"].result is Result.PASS
    assert findings(vioscsi, "kvm")["boot.windows-virtio-disabled"].result is Result.FAIL


def test_a_remedy_names_the_driver_and_the_interface() -> None:
    found = findings(windows(services=services(start=4)))["boot.windows-virtio-disabled"]
    assert "Services\\viostor -Name Start -Value 0" in found.remedy
    assert "viostor: Start=4" in found.evidence
    network = WINDOWS_BIOS.network
    assert network is not None
    guest = replace(WINDOWS_BIOS, network=replace(network, interfaces=(WINDOWS_STATIC,)))
    found = findings(guest)["network.net-static-address"]
    assert "$name = 'Ethernet'; Set-NetIPInterface" in found.remedy


@pytest.mark.parametrize("name", ["x'; del C:\\ #", "x\u2019; calc", "$(calc)", "a\nb", ""])
def test_a_guests_string_can_not_break_out_of_a_command(name: str) -> None:
    network = WINDOWS_BIOS.network
    assert network is not None
    evil = replace(WINDOWS_STATIC, name=name)
    guest = replace(WINDOWS_BIOS, network=replace(network, interfaces=(evil,)))
    remedy = findings(guest)["network.net-static-address"].remedy
    assert "$name = NAME-AS-Get-NetAdapter-SAYS; Set" in remedy
    assert "calc" not in remedy


def test_an_adapter_without_a_name_is_known_by_its_guid() -> None:
    network = WINDOWS_BIOS.network
    assert network is not None
    guid = "{0a0b0c0d-1111-4222-8333-444455556666}"
    bare = replace(WINDOWS_STATIC, name=guid)
    guest = replace(WINDOWS_BIOS, network=replace(network, interfaces=(bare,)))
    remedy = findings(guest)["network.net-static-address"].remedy
    assert f"InterfaceGuid -eq '{guid}').Name; Set-NetIPInterface" in remedy


def test_a_network_that_nobody_set_up_asks_by_dhcp() -> None:
    network = WINDOWS_BIOS.network
    assert network is not None
    gone = replace(WINDOWS_STATIC, judged=False)
    guest = replace(WINDOWS_BIOS, network=replace(network, interfaces=(gone,)), cloud_init=None)
    assert findings(guest)["network.dhcp"].result is Result.PASS
    assert "of no adapter that a server has" in facts_text("disk", IMAGE, guest)
    bare = replace(WINDOWS_BIOS, network=replace(network, interfaces=()), cloud_init=None)
    assert findings(bare)["network.dhcp"].result is Result.PASS
    off = replace(network.interfaces[0], method=AddressMethod.NONE)
    guest = replace(WINDOWS_BIOS, network=replace(network, interfaces=(off,)))
    assert findings(guest)["network.dhcp"].result is Result.PASS  # Cloudbase-Init does it


@pytest.mark.parametrize(
    ("os_id", "version", "short_id"),
    [
        ("windows-server", "10.0.20348", "win2k22"),
        ("windows-server", "10.0.17763", "win2k19"),
        ("windows-server", "10.0.14393", "win2k16"),
        ("windows-server", "6.3.9600", "win2k12r2"),
        ("windows-server", "10.0.26100", "win2k25"),
        ("windows", "10.0.19045", "win10"),
        ("windows", "10.0.17763", "win10"),
        ("windows", "10.0.22631", "win11"),
        ("windows", "6.1.7601", "win7"),
        ("windows", "5.1.2600", None),
        ("windows", "10.0.19045/../x", None),
        ("windows", None, None),
    ],
)
def test_a_build_is_a_system_of_the_osinfo_database(
    os_id: str, version: str | None, short_id: str | None
) -> None:
    found = [(one.short_id, one.vendor) for one in candidates(os_id, version)]
    assert found == ([(short_id, "microsoft.com")] if short_id else [])


@pytest.mark.skipif(not Path("/usr/share/osinfo/os/microsoft.com").is_dir(), reason="no osinfo-db")
def test_its_least_memory_is_the_databases() -> None:
    database = OsinfoDatabase("/usr/share/osinfo")
    found = database.minimum("windows", "10.0.19045", "x86_64")
    assert found is not None
    assert (found.os, found.memory_bytes) == ("win10", 2 << 30)


@pytest.mark.parametrize(
    ("product", "spelled"),
    [
        ("Windows Server 2022 Standard", "Windows Server 2022 Standard 64bit"),
        ("Windows Server 2012 R2 Datacenter", "Windows Server 2012 R2 Datacenter 64bit"),
        ("Windows 10 Pro", "Windows 10 64bit"),
        ("Windows Server 2022 Datacenter Azure Edition", None),
        ("Windows 11 Pro", None),
        ("Windows 100", None),
    ],
)
def test_the_service_is_told_of_a_windows(product: str, spelled: str | None) -> None:
    guest = bios(files({f"{OS_VERSION}\\ProductName": product}))
    made = import_attributes("name", IMAGE, guest, PROFILE)
    assert (made.os_type, made.os_version, made.boot_mode) == ("Windows", spelled, "bios")
    assert import_attributes("name", IMAGE, WINDOWS_UEFI, PROFILE).boot_mode == "uefi"


def test_inspect_tells_a_windows_in_lines() -> None:
    lines = facts_text("disk", IMAGE, WINDOWS_UEFI).split("\n")
    for line in (
        "system       Windows Server 2022 Standard (windows-server 10.0.20348), x86_64",
        "windows      ServerStandard, 21H2, build 20348.2227",
        "drivers      viostor at boot",
        "             netkvm on demand",
        "devices      1af4:1001 by viostor, 1af4:1004 by vioscsi",
        "remote       Remote Desktop on, firewall on (domain, private, public), which lets it in",
        "state        IMAGE_STATE_COMPLETE",
        "             configured by EFI/Microsoft/Boot/BCD",
    ):
        assert line in lines


def test_inspect_tells_who_gets_in_by_remote_desktop() -> None:
    for said, facts in (
        (
            "on at port 3390, firewall on (domain, private, public), which lets it in",
            {"port": 3390},
        ),
        ("on, its service does not start, firewall on", {"service": False}),
        ("on, firewall on (domain, private, public), which keeps it out", {"allowed": False}),
    ):
        changes = {f"remote_desktop_{name}": value for name, value in facts.items()}
        assert f"Remote Desktop {said}" in facts_text("disk", IMAGE, windows(**changes))
    for said, other in (
        ("on, firewall off", windows(firewall=FIREWALL_OFF)),
        ("on, firewall by a group policy", windows(firewall_by_policy=True)),
    ):
        assert f"Remote Desktop {said}" in facts_text("disk", IMAGE, other)
