"""Windows guests: what the registry and a few files say, and what they do not."""

from __future__ import annotations

import json

import pytest

from diskwright.guest.windows.paths import file_of
from diskwright.guest.windows.pe import pe_machine
from diskwright.guest.windows.read import SOFTWARE, SYSTEM
from diskwright.model.codec import decode, encode
from diskwright.model.guest import CloudInit, GuestFacts, OsRelease, Section
from diskwright.model.windows import DeviceDriver, FirewallProfile, Hibernation, WindowsFacts
from support.fake_guest import Broken, Content, Sparse
from support.hive_maker import hive
from support.windows_guest import (
    CURRENT,
    DRIVERS,
    OS_VERSION,
    bios,
    files,
    program,
    uefi,
)


def facts(
    changes: dict[str, object] | None = None, **content: Content
) -> tuple[GuestFacts, WindowsFacts]:
    """`content`: files at the root of C:, by a name without its dot."""
    added = {f"/{name.replace('_', '.')}": data for name, data in content.items()}
    guest = bios({**files(changes), **added})
    assert guest.windows is not None
    return guest, guest.windows


def test_a_whole_guest_leaves_nothing_unread() -> None:
    guest = uefi(files())
    windows = guest.windows
    assert windows is not None
    assert (guest.unread, guest.problems, guest.root) == ((), (), 1)
    assert guest.os == OsRelease(
        "windows-server", "10.0.20348", "Windows Server 2022 Standard", "21H2", "x86_64"
    )
    assert (windows.product, windows.edition) == ("Windows Server 2022 Standard", "ServerStandard")
    assert (windows.version, windows.build, windows.release) == ("10.0", "20348.2227", "21H2")
    assert (windows.remote_desktop, windows.fast_startup) == (True, False)
    assert windows.hibernation is Hibernation.NONE
    assert windows.image_state == "IMAGE_STATE_COMPLETE"
    assert (windows.pending_reboot, windows.stale) == ((), ())
    assert windows.firewall == tuple(
        FirewallProfile(name, True) for name in ("domain", "private", "public")
    )
    assert guest.cloud_init == CloudInit(
        True, True, datasources=("ConfigDriveService", "HttpService")
    )
    assert (guest.fstab, guest.kernels, guest.accounts, guest.ssh, guest.left) == (None,) * 5
    assert decode(GuestFacts, json.loads(json.dumps(encode(guest)))) == guest


def test_a_linux_that_keeps_a_registry_stays_a_linux() -> None:
    guest = bios({**files(), "/etc/os-release": "ID=debian\n"})
    assert guest.windows is None
    assert guest.os is not None
    assert guest.os.id == "debian"


def test_a_driver_is_told_with_its_start_and_its_file() -> None:
    _, windows = facts({f"{CURRENT}\\Services\\vioscsi\\StartOverride": {"0": 3}})
    viostor, vioscsi = windows.service("viostor"), windows.service("vioscsi")
    assert viostor is not None
    assert vioscsi is not None
    assert (viostor.start, viostor.type, viostor.group) == (0, 1, "SCSI miniport")
    assert (viostor.file, viostor.file_exists) == (f"{DRIVERS}/viostor.sys", True)
    assert (vioscsi.start, vioscsi.override, vioscsi.starts) == (0, 3, 3)
    assert windows.service("xenvbd") is None


def test_a_driver_whose_file_is_gone_or_unreadable() -> None:
    content = files()
    del content[f"{DRIVERS}/viostor.sys"]
    found = bios(content).windows
    assert found is not None
    service = found.service("viostor")
    assert service is not None
    assert service.file_exists is False


@pytest.mark.parametrize(
    ("image_path", "file"),
    [
        ("\\SystemRoot\\System32\\drivers\\a.sys", "/Windows/System32/drivers/a.sys"),
        ("system32\\DRIVERS\\a.sys", "/Windows/system32/DRIVERS/a.sys"),
        ("%SystemRoot%\\System32\\svchost.exe -k x", "/Windows/System32/svchost.exe"),
        ("\\??\\C:\\x\\a.sys", "/x/a.sys"),
        ('"C:\\Program Files\\a b.exe" --x "c"', "/Program Files/a b.exe"),
        ("C:\\Program Files\\a b.exe c.exe", "/Program Files/a b.exe"),
        (None, "/Windows/System32/drivers/name.sys"),
        ("D:\\a.sys", None),
        ("\\\\host\\share\\a.sys", None),
        ('"', None),
    ],
)
def test_a_path_of_the_registry_leads_to_a_file(image_path: str | None, file: str | None) -> None:
    assert file_of(image_path, "name") == file


def test_devices_are_bound_by_either_database() -> None:
    database = "SYSTEM\\DriverDatabase"
    package = "viostor.inf_amd64_0123456789abcdef"
    _, windows = facts(
        {
            f"{database}\\DeviceIds\\PCI\\VEN_1AF4&DEV_1042&SUBSYS_11001AF4": {"oem1.inf": b"\1"},
            f"{database}\\DeviceIds\\PCI\\VEN_1AF4&DEV_10420": {"oem1.inf": b"\1"},
            f"{database}\\DeviceIds\\PCI\\VEN_1AF4&DEV_1041": {"gone.inf": b"\1"},
            f"{database}\\DriverInfFiles\\oem1.inf": {"Active": package, "": [package]},
            f"{database}\\DriverPackages\\{package}\\Configurations\\inst": {"Service": "VioStor"},
        }
    )
    assert windows.device_drivers == (
        DeviceDriver("1af4:1001", "viostor", "CriticalDeviceDatabase"),
        DeviceDriver("1af4:1004", "vioscsi", "CriticalDeviceDatabase"),
        DeviceDriver("1af4:1042", "viostor", "DriverDatabase"),
    )


@pytest.mark.parametrize(
    ("head", "state"),
    [
        (b"hibr", Hibernation.SAVED),
        (b"HIBR", Hibernation.SAVED),
        (b"RSTR", Hibernation.SAVED),
        (b"wake", Hibernation.EMPTY),
        (b"WAKE", Hibernation.EMPTY),
        (b"", Hibernation.EMPTY),
        (b"what", Hibernation.UNKNOWN),
    ],
)
def test_hibernation_is_told_by_the_files_head(head: bytes, state: Hibernation) -> None:
    _, windows = facts(hiberfil_sys=head + bytes(60))
    assert windows.hibernation is state
    _, windows = facts(hiberfil_sys=Sparse(6 << 30))
    assert windows.hibernation is Hibernation.EMPTY


def test_what_waits_for_a_restart() -> None:
    version = "SOFTWARE\\Microsoft\\Windows\\CurrentVersion"
    renames = f"{CURRENT}\\Control\\Session Manager\\PendingFileRenameOperations"
    _, windows = facts(
        {
            f"{version}\\Component Based Servicing\\RebootPending": {},
            f"{version}\\WindowsUpdate\\Auto Update\\RebootRequired": {"x": 1},
            renames: ["\\??\\C:\\a", ""],
        }
    )
    assert windows.pending_reboot is not None
    assert [p.rpartition("\\")[2] for p in windows.pending_reboot] == [
        "PendingFileRenameOperations",
        "RebootPending",
        "RebootRequired",
    ]
    assert facts({renames: []})[1].pending_reboot == ()


@pytest.mark.parametrize(
    ("product", "build", "installation", "name", "version_id"),
    [
        ("Windows 10 Pro", "19045", "Client", "Windows 10 Pro", "10.0.19045"),
        ("Windows 10 Pro", "22631", "Client", "Windows 11 Pro", "10.0.22631"),
    ],
)
def test_a_client_is_told_from_a_server(
    product: str, build: str, installation: str, name: str, version_id: str
) -> None:
    guest, _ = facts(
        {
            f"{OS_VERSION}\\ProductName": product,
            f"{OS_VERSION}\\CurrentBuildNumber": build,
            f"{OS_VERSION}\\InstallationType": installation,
        }
    )
    assert guest.os is not None
    assert (guest.os.id, guest.os.name, guest.os.version_id) == ("windows", name, version_id)


def test_an_old_version_is_told_by_its_text() -> None:
    guest, windows = facts(
        {
            f"{OS_VERSION}\\CurrentMajorVersionNumber": None,
            f"{OS_VERSION}\\CurrentMinorVersionNumber": None,
            f"{OS_VERSION}\\CurrentVersion": "6.1",
            f"{OS_VERSION}\\CurrentBuildNumber": "7601",
            f"{OS_VERSION}\\UBR": None,
        }
    )
    assert guest.os is not None
    assert (guest.os.version_id, windows.build) == ("6.1.7601", "7601")


def test_the_current_control_set_is_the_one_that_select_names() -> None:
    guest, windows = facts({"SYSTEM\\Select\\Current": 2})
    assert windows.services is None
    assert "ControlSet002" in guest.why_unread(Section.WINDOWS)
    guest, _ = facts({"SYSTEM\\Select": None})
    assert "control set" in guest.why_unread(Section.NETWORK)


def test_a_hive_whose_log_was_not_replayed_is_a_problem() -> None:
    guest = bios(files(stale=True))
    assert guest.windows is not None
    assert guest.windows.stale == (SYSTEM, SOFTWARE)
    assert [p.code for p in guest.problems] == ["registry-log-not-replayed"] * 2
    assert guest.windows.product == "Windows Server 2022 Standard"


@pytest.mark.parametrize("content", [Broken(), b"regf", Sparse(1 << 40), hive({})])
def test_one_broken_hive_takes_its_own_facts_only(content: Content) -> None:
    guest = bios({**files(), SYSTEM: content})
    assert guest.windows is not None
    assert (guest.windows.services, guest.network, guest.cloud_init) == (None, None, None)
    assert guest.windows.pending_reboot is None
    assert guest.os is not None
    assert {entry.section for entry in guest.unread} == {
        Section.WINDOWS,
        Section.NETWORK,
        Section.CLOUD_INIT,
    }
    guest = bios({**files(), SOFTWARE: content})
    assert guest.windows is not None
    assert guest.windows.services
    assert guest.os is None
    assert SOFTWARE in guest.why_unread(Section.OS) or "registry" in guest.why_unread(Section.OS)


def test_the_architecture_is_the_kernels() -> None:
    assert pe_machine(program(0xAA64)) == "aarch64"
    assert pe_machine(program(0x14C)) == "i686"
    for bad in (b"", b"MZ", b"MZ" + b"\xff" * 200, program()[:66], b"\x7fELF" + bytes(200)):
        assert pe_machine(bad) is None
    guest = bios({**files(), "/Windows/System32/ntoskrnl.exe": Broken()})
    assert guest.architecture is None
