"""The drivers of a Windows for the server's disk and network: installed, and started."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from diskwright.model.finding import Result
from diskwright.model.guest import Section
from diskwright.model.windows import WindowsFacts, WindowsService
from diskwright.rules import sources
from diskwright.rules.rule import (
    Case,
    Outcome,
    Rule,
    breaks,
    holds,
    skip,
    unread,
    unread_section,
)
from diskwright.rules.windows import of_windows


@dataclass(frozen=True, slots=True)
class _Driver:
    """`devices`: the PCI ids of which one has to be bound to it; none for what is Windows' own."""

    name: str
    devices: tuple[str, ...] = ()


# What Windows calls the drivers that a profile names as Linux does
_DISK = {
    "virtio_blk": _Driver("viostor", ("1af4:1001", "1af4:1042")),
    "virtio_scsi": _Driver("vioscsi", ("1af4:1004", "1af4:1048")),
    "nvme": _Driver("stornvme"),
    "hv_storvsc": _Driver("storvsc"),
}
_NETWORK = {"virtio_net": _Driver("netkvm"), "ena": _Driver("ena")}

_VIRTIO_BLK = _DISK["virtio_blk"].name
_NEVER = 4
_SERVICES = "HKLM:\\SYSTEM\\CurrentControlSet\\Services"
_INSTALL = (
    "# with the ISO file of virtio-win as drive D: (its newest release fits Windows 10 and later):",
    "msiexec /i D:\\virtio-win-gt-x64.msi /qn /norestart",
    "# or the drivers alone: pnputil /add-driver D:\\*.inf /subdirs /install",
)
_BIND = (
    "# start it once with a small second disk of the server's kind attached: Windows binds it then",
    "pnputil /scan-devices",
)


def _wanted(case: Case, drivers: dict[str, _Driver]) -> list[_Driver]:
    return [drivers[name] for name in case.profile.boot_modules if name in drivers]


def _installed(
    windows: WindowsFacts, drivers: Iterable[_Driver]
) -> list[tuple[_Driver, WindowsService]]:
    """Those that are registered and whose file is there, as far as is known."""
    found = ((driver, windows.service(driver.name)) for driver in drivers)
    return [(driver, s) for driver, s in found if s is not None and s.file_exists is not False]


def _names(drivers: Iterable[_Driver], between: str = " or ") -> str:
    return between.join(driver.name for driver in drivers)


def _of_system_disk(disk: list[_Driver]) -> list[_Driver]:
    """Where a target has virtio-blk among others, that is what the system disk is."""
    return [driver for driver in disk if driver.name == _VIRTIO_BLK] or disk


def _missing(case: Case, windows: WindowsFacts) -> Outcome:
    disk, network = _wanted(case, _DISK), _wanted(case, _NETWORK)
    if not disk and not network:
        return skip("this target asks for none")
    if windows.services is None:
        return unread_section(case, Section.WINDOWS, "which drivers are installed")
    system = _of_system_disk(disk)
    for drivers, what, result in (
        (disk, "disk", None),
        (system, "system disk", Result.WARN),
        (network, "network", Result.WARN),
    ):
        if drivers and not _installed(windows, drivers):
            return breaks(
                f"no driver of the server's {what} is installed: {_names(drivers)}",
                (_lacking(windows, driver) for driver in (*disk, *network)),
                _INSTALL,
                result=result,
            )
    there = _installed(windows, (*disk, *network))
    said = ", ".join(f"{driver.name}" for driver, _ in there)
    open_ = [s.file or s.image_path for _, s in there if s.file_exists is None]
    if open_:
        return unread(f"{said}: installed, and whether the files are there can't be told", open_)
    return holds(f"{said}: installed")


def _lacking(windows: WindowsFacts, driver: _Driver) -> str:
    service = windows.service(driver.name)
    if service is None:
        return f"{driver.name}: no such service"
    if service.file_exists is False:
        return f"{driver.name}: {service.file} is missing"
    return f"{driver.name}: installed"


def _disabled(case: Case, windows: WindowsFacts) -> Outcome:
    disk, network = _wanted(case, _DISK), _wanted(case, _NETWORK)
    if not disk and not network:
        return skip("this target asks for none")
    if windows.services is None or windows.device_drivers is None:
        return unread_section(case, Section.WINDOWS, "when the drivers are started")
    there = _installed(windows, disk)
    cards = _installed(windows, network)
    if not there and not cards:
        return skip("a driver that is not installed is told by boot.windows-virtio-missing")
    judged = _installed(windows, _of_system_disk(disk)) or there
    ready = [driver for driver, service in there if _is_ready(windows, driver, service)]
    idle = bool(judged) and not any(driver in ready for driver, _ in judged)
    if idle and all(service.starts is not None for _, service in judged):
        return _idle(windows, judged, ready)
    if cards and all(service.starts == _NEVER for _, service in cards):
        return _network_off(cards)
    if idle or any(service.starts is None for _, service in cards):
        open_ = (s.name for _, s in (*judged, *cards) if s.starts is None)
        return unread("when the drivers are started can't be told", open_)
    started = [*ready, *(driver for driver, _ in cards)]
    return holds(f"{_names(started, ', ')}: started, and those of the disk bound to its device")


def _idle(
    windows: WindowsFacts, drivers: list[tuple[_Driver, WindowsService]], others: list[_Driver]
) -> Outcome:
    """Milder where a driver of another disk of the target is at work."""
    return breaks(
        f"{_names((driver for driver, _ in drivers), ', ')}: installed, and not driving the "
        "server's disk at boot",
        (
            *(_not_ready(windows, driver, service) for driver, service in drivers),
            *(f"{driver.name}: started at boot" for driver in others),
        ),
        [
            line
            for driver, service in drivers
            for line in (
                *(_start_at_boot(driver.name) if service.starts != 0 else ()),
                *(() if _bound(windows, driver) else _BIND),
            )
        ],
        result=Result.WARN if others else None,
    )


def _network_off(drivers: list[tuple[_Driver, WindowsService]]) -> Outcome:
    return breaks(
        f"{_names((driver for driver, _ in drivers), ', ')}: installed, and never started: the "
        "server has no network",
        (f"{driver.name}: Start={service.starts}" for driver, service in drivers),
        [_start_on_demand(driver.name) for driver, _ in drivers],
        result=Result.WARN,
    )


def _is_ready(windows: WindowsFacts, driver: _Driver, service: WindowsService) -> bool:
    return service.starts == 0 and _bound(windows, driver)


def _bound(windows: WindowsFacts, driver: _Driver) -> bool:
    bound = {(found.device, found.service) for found in windows.device_drivers or ()}
    return not driver.devices or any((one, driver.name) in bound for one in driver.devices)


def _not_ready(windows: WindowsFacts, driver: _Driver, service: WindowsService) -> str:
    parts = []
    if service.starts != 0:
        by = "" if service.override is None else " by StartOverride"
        parts.append(f"Start={service.starts}{by}, and 0 is at boot")
    if not _bound(windows, driver):
        ids = ", ".join(driver.devices)
        parts.append(f"neither CriticalDeviceDatabase nor DriverDatabase has it for {ids}")
    return f"{driver.name}: {'; '.join(parts)}"


def _start_on_demand(name: str) -> str:
    return f"Set-ItemProperty {_SERVICES}\\{name} -Name Start -Value 3"


def _start_at_boot(name: str) -> tuple[str, ...]:
    key = f"{_SERVICES}\\{name}"
    return (
        f"Set-ItemProperty {key} -Name Start -Value 0",
        f"Remove-Item {key}\\StartOverride -Recurse -ErrorAction SilentlyContinue",
    )


RULES = (
    Rule(
        "boot.windows-virtio-missing",
        "Windows has the drivers of the server's disk and network",
        "The server's disk and network are virtual devices (virtio on KVM, NVMe, VMBus): without "
        "the disk's driver Windows stops with INACCESSIBLE_BOOT_DEVICE. Where the target has "
        "disks of several kinds, a driver for another kind than the system disk's is not enough.",
        sources.WINDOWS_DRIVERS,
        of_windows(_missing),
        remedy=_INSTALL,
    ),
    Rule(
        "boot.windows-virtio-disabled",
        "Windows loads the drivers of the server's disk and network",
        "A driver that is only installed is of no use at boot: its Start has to be 0, and the "
        "device has to be bound to it, in CriticalDeviceDatabase or in DriverDatabase. That of the "
        "network must not be disabled.",
        sources.BOOT_START,
        of_windows(_disabled),
        remedy=(*_start_at_boot("DRIVER"), *_BIND),
    ),
)
