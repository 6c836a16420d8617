"""The drivers that a Windows needs for a target's disk and network, and where each is from."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum, auto

from diskwright._values import Struct
from diskwright.model.profile import Profile


class _From(Enum):
    VIRTIO_WIN = auto()
    WINDOWS = auto()
    AWS = auto()


class Driver(Struct, frozen=True):
    """`devices`: the PCI ids of which one has to be bound to it; none for what is Windows' own."""

    name: str
    comes: _From
    devices: tuple[str, ...] = ()


# What Windows calls the drivers that a profile names as Linux does
_DISK = {
    "virtio_blk": Driver("viostor", _From.VIRTIO_WIN, ("1af4:1001", "1af4:1042")),
    "virtio_scsi": Driver("vioscsi", _From.VIRTIO_WIN, ("1af4:1004", "1af4:1048")),
    "nvme": Driver("stornvme", _From.WINDOWS),
    "hv_storvsc": Driver("storvsc", _From.WINDOWS),
}
_NETWORK = {
    "virtio_net": Driver("netkvm", _From.VIRTIO_WIN),
    "ena": Driver("ena", _From.AWS),
}

_SERVICES = "HKLM:\\SYSTEM\\CurrentControlSet\\Services"
_VIRTIO_WIN = (
    "# with the ISO file of virtio-win as drive D: (its newest release fits Windows 10 and later):",
    "msiexec /i D:\\virtio-win-gt-x64.msi /qn /norestart",
    "# or the drivers alone: pnputil /add-driver D:\\*.inf /subdirs /install",
)
_AWS = (
    "# in the folder of the network's ENA driver, AwsEnaNetworkDriver.zip of AWS, unpacked:",
    ".\\install.ps1",
)
_REPAIR = ("DISM /Online /Cleanup-Image /RestoreHealth", "sfc /scannow")
_BIND = (
    "# start it once with a small second disk of the server's kind attached: Windows binds it then",
    "pnputil /scan-devices",
)


def of_disk(profile: Profile) -> tuple[Driver, ...]:
    return tuple(_DISK[name] for name in profile.boot_modules if name in _DISK)


def of_network(profile: Profile) -> tuple[Driver, ...]:
    return tuple(_NETWORK[name] for name in profile.boot_modules if name in _NETWORK)


def to_install(drivers: Iterable[Driver]) -> tuple[str, ...]:
    """What brings them to the guest: each from where it comes."""
    lacking = tuple(drivers)
    origins = {driver.comes for driver in lacking}
    own = [driver.name for driver in lacking if driver.comes is _From.WINDOWS]
    return (
        *(_VIRTIO_WIN if _From.VIRTIO_WIN in origins else ()),
        *(_to_repair(own) if own else ()),
        *(_AWS if _From.AWS in origins else ()),
    )


def _to_repair(names: list[str]) -> tuple[str, ...]:
    starts = (line for name in names for line in _start_at_boot(name))
    return (
        f"# {', '.join(names)} comes with Windows, which repairs its own files:",
        *_REPAIR,
        *starts,
    )


def to_start(drivers: Iterable[Driver], unbound: Iterable[Driver]) -> tuple[str, ...]:
    """What makes `drivers` start at boot, and binds the `unbound` to their devices."""
    starts = (line for driver in drivers for line in _start_at_boot(driver.name))
    return (*starts, *(_BIND if any(driver.devices for driver in unbound) else ()))


def start_on_demand(name: str) -> str:
    return f"Set-ItemProperty {_SERVICES}\\{name} -Name Start -Value 3"


def _start_at_boot(name: str) -> tuple[str, ...]:
    key = f"{_SERVICES}\\{name}"
    return (
        f"Set-ItemProperty {key} -Name Start -Value 0",
        f"Remove-Item {key}\\StartOverride -Recurse -ErrorAction SilentlyContinue",
    )
