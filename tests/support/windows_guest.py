"""Windows guests in memory: a disk with nothing wrong, whose registry can be changed by paths.

A path is `SYSTEM\\Select\\Current`; `CURRENT` stands for the control set. None takes a key away.
"""

from __future__ import annotations

import copy
import struct
from typing import Any

from diskwright.guest.inspect import facts_of
from diskwright.guest.probe import Probe
from diskwright.model.guest import FileSystem, GuestFacts
from diskwright.model.partitions import Partition, PartitionRole, PartitionTable, TableKind
from support.fake_guest import Content, FakeFs, Link
from support.hive_maker import hive

CURRENT = "SYSTEM\\ControlSet001"
CONFIG = "/Windows/System32/config"
DRIVERS = "/Windows/System32/drivers"
ADAPTER = "{0a0b0c0d-1111-4222-8333-444455556666}"
INTERFACE = f"{CURRENT}\\Services\\Tcpip\\Parameters\\Interfaces\\{ADAPTER}"
CLASS = "{4D36E972-E325-11CE-BFC1-08002BE10318}"
CLOUDBASE = "/Program Files/Cloudbase Solutions/Cloudbase-Init"
OS_VERSION = "SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion"
POLICY = f"{CURRENT}\\Services\\SharedAccess\\Parameters\\FirewallPolicy"
RULES = f"{POLICY}\\FirewallRules"
RDP_RULE = "RemoteDesktop-UserMode-In-TCP"
# As Windows 10 and later have it, where it is not active
LETS_IN = (
    "v2.30|Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort=3389|"
    "App=%SystemRoot%\\system32\\svchost.exe|Svc=termservice|Name=@FirewallAPI.dll,-28775|"
    "Desc=@FirewallAPI.dll,-28756|EmbedCtxt=@FirewallAPI.dll,-28752|"
)


def program(machine: int = 0x8664) -> bytes:
    """As much of a PE file as says for which machine it is."""
    return b"MZ".ljust(60, b"\0") + struct.pack("<I4sH", 64, b"PE\0\0", machine) + bytes(64)


def driver(name: str, start: int) -> dict[str, object]:
    path = f"\\SystemRoot\\System32\\drivers\\{name}.sys"
    return {"Type": 1, "Start": start, "Group": "SCSI miniport", "ImagePath": path}


def registry() -> dict[str, Any]:
    drivers = {"viostor": 0, "vioscsi": 0, "netkvm": 3, "balloon": 3}
    return {
        "SYSTEM": {
            "Select": {"Current": 1, "Default": 1},
            "ControlSet001": {
                "Control": {
                    "CriticalDeviceDatabase": {
                        "pci#ven_1af4&dev_1001": {"Service": "viostor"},
                        "pci#ven_1af4&dev_1004&subsys_00081af4": {"Service": "vioscsi"},
                        "pci#ven_8086&dev_7010": {"Service": "intelide"},
                    },
                    "Network": {CLASS: {ADAPTER: {"Connection": {"Name": "Ethernet"}}}},
                    "Session Manager": {"Power": {"HiberbootEnabled": 0}},
                    "Terminal Server": {"fDenyTSConnections": 0},
                },
                "Services": {
                    **{name: driver(name, start) for name, start in drivers.items()},
                    "cloudbase-init": {
                        "Type": 16,
                        "Start": 2,
                        "ImagePath": f'"C:{CLOUDBASE}/bin/OpenStackService.exe" cloudbase-init'
                        f' "C:{CLOUDBASE}/Python/Scripts/cloudbase-init.exe"'.replace("/", "\\"),
                    },
                    "SharedAccess": {
                        "Parameters": {
                            "FirewallPolicy": {
                                "DomainProfile": {"EnableFirewall": 1},
                                "StandardProfile": {"EnableFirewall": 1},
                                "PublicProfile": {"EnableFirewall": 1},
                                "FirewallRules": {RDP_RULE: LETS_IN},
                            }
                        }
                    },
                    "TermService": {"Type": 32, "Start": 3},
                    "Tcpip": {"Parameters": {"Interfaces": {ADAPTER: {"EnableDHCP": 1}}}},
                },
            },
        },
        "SOFTWARE": {
            "Microsoft": {
                "Windows NT": {
                    "CurrentVersion": {
                        "ProductName": "Windows Server 2022 Standard",
                        "CurrentBuildNumber": "20348",
                        "CurrentMajorVersionNumber": 10,
                        "CurrentMinorVersionNumber": 0,
                        "UBR": 2227,
                        "DisplayVersion": "21H2",
                        "EditionID": "ServerStandard",
                        "InstallationType": "Server",
                    }
                },
                "Windows": {
                    "CurrentVersion": {"Setup": {"State": {"ImageState": "IMAGE_STATE_COMPLETE"}}}
                },
            }
        },
    }


def changed(changes: dict[str, object]) -> dict[str, Any]:
    tree = copy.deepcopy(registry())
    for path, content in changes.items():
        *folders, name = path.split("\\")
        here = tree
        for folder in folders:
            here = here.setdefault(folder, {})
        if content is None:
            del here[name]
        else:
            here[name] = content
    return tree


def files(changes: dict[str, object] | None = None, *, stale: bool = False) -> dict[str, Content]:
    """Of the file system that is C:."""
    sequences = (8, 7) if stale else (7, 7)
    hives = changed(changes or {})
    return {
        **{f"{CONFIG}/{name}": hive(tree, sequences=sequences) for name, tree in hives.items()},
        **{
            f"{DRIVERS}/{name}.sys": program()
            for name in ("viostor", "vioscsi", "netkvm", "balloon")
        },
        "/Windows/System32/ntoskrnl.exe": program(),
        f"{CLOUDBASE}/bin/OpenStackService.exe": program(),
        f"{CLOUDBASE}/conf/cloudbase-init.conf": "[DEFAULT]\r\nusername=Admin\r\n"
        "metadata_services=a.b.ConfigDriveService,\r\n  a.b.HttpService\r\nx=1\r\n",
        "/bootmgr": b"\xeb\x08BOOTMGR",
        "/Boot/BCD": hive({"Objects": {}}),
    }


def ntfs(content: dict[str, Content], number: int = 1) -> Probe:
    facts = FileSystem("ntfs", number, True, size=40 << 30, free=20 << 30, dirty=False)
    return Probe(facts, FakeFs(content, fs_type="ntfs"))


TABLE = PartitionTable(
    TableKind.MBR,
    512,
    (Partition(1, 1 << 20, 40 << 30, PartitionRole.WINDOWS, "07", active=True),),
    boot_code=True,
    bios_core=None,
)
UEFI_TABLE = PartitionTable(
    TableKind.GPT,
    512,
    (
        Partition(1, 1 << 20, 16 << 20, PartitionRole.ESP, "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"),
        Partition(2, 17 << 20, 40 << 30, PartitionRole.WINDOWS, "ebd0a0a2"),
    ),
    boot_code=False,
    bios_core=None,
)


ON_ESP: dict[str, Content] = {
    "/EFI/Boot/bootx64.efi": program(),
    "/EFI/Microsoft/Boot/bootmgfw.efi": program(),
    "/EFI/Microsoft/Boot/BCD": hive({"Objects": {}}),
}


def bios(content: dict[str, Content]) -> GuestFacts:
    return facts_of(TABLE, [ntfs(content)])


def uefi(content: dict[str, Content], on_esp: dict[str, Content] | None = None) -> GuestFacts:
    inside = ON_ESP if on_esp is None else on_esp
    esp = Probe(FileSystem("vfat", 1, True), FakeFs(inside, fs_type="ntfs"))
    return facts_of(UEFI_TABLE, [esp, ntfs(content, 2)])


def without_on_esp(path: str, *, broken: bool = False) -> GuestFacts:
    """A guest whose ESP lacks a file, or has a link in its place that leads to itself."""
    inside = {name: content for name, content in ON_ESP.items() if name != path}
    return uefi(files(), {**inside, path: Link("../" * 3 + path)} if broken else inside)
