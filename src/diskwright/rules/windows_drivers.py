"""The drivers of a Windows for the server's disk and network: installed, and started."""

from __future__ import annotations

from collections.abc import Iterable

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
from diskwright.rules.windows_parts import (
    Driver,
    of_disk,
    of_network,
    start_on_demand,
    to_install,
    to_start,
)

_VIRTIO_BLK = "viostor"
_NEVER = 4
_NONE_WANTED = ("# this target asks for none",)


def _installed(
    windows: WindowsFacts, drivers: Iterable[Driver]
) -> list[tuple[Driver, WindowsService]]:
    """Those that are registered and whose file is there, as far as is known."""
    found = ((driver, windows.service(driver.name)) for driver in drivers)
    return [(driver, s) for driver, s in found if s is not None and s.file_exists is not False]


def _names(drivers: Iterable[Driver], between: str = " or ") -> str:
    return between.join(driver.name for driver in drivers)


def _of_system_disk(disk: tuple[Driver, ...]) -> tuple[Driver, ...]:
    """Where a target has virtio-blk among others, that is what the system disk is."""
    return tuple(driver for driver in disk if driver.name == _VIRTIO_BLK) or disk


def _missing(case: Case, windows: WindowsFacts) -> Outcome:
    disk, network = of_disk(case.profile), of_network(case.profile)
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
                to_install(d for d in (*disk, *network) if not _installed(windows, (d,))),
                result=result,
            )
    there = _installed(windows, (*disk, *network))
    said = ", ".join(f"{driver.name}" for driver, _ in there)
    open_ = [s.file or s.image_path for _, s in there if s.file_exists is None]
    if open_:
        return unread(f"{said}: installed, and whether the files are there can't be told", open_)
    return holds(f"{said}: installed")


def _lacking(windows: WindowsFacts, driver: Driver) -> str:
    service = windows.service(driver.name)
    if service is None:
        return f"{driver.name}: no such service"
    if service.file_exists is False:
        return f"{driver.name}: {service.file} is missing"
    return f"{driver.name}: installed"


def _disabled(case: Case, windows: WindowsFacts) -> Outcome:
    disk, network = of_disk(case.profile), of_network(case.profile)
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
    windows: WindowsFacts, drivers: list[tuple[Driver, WindowsService]], others: list[Driver]
) -> Outcome:
    """Milder where a driver of another disk of the target is at work."""
    return breaks(
        f"{_names((driver for driver, _ in drivers), ', ')}: installed, and not driving the "
        "server's disk at boot",
        (
            *(_not_ready(windows, driver, service) for driver, service in drivers),
            *(f"{driver.name}: started at boot" for driver in others),
        ),
        to_start(
            (driver for driver, service in drivers if service.starts != 0),
            (driver for driver, _ in drivers if not _bound(windows, driver)),
        ),
        result=Result.WARN if others else None,
    )


def _network_off(drivers: list[tuple[Driver, WindowsService]]) -> Outcome:
    return breaks(
        f"{_names((driver for driver, _ in drivers), ', ')}: installed, and never started: the "
        "server has no network",
        (f"{driver.name}: Start={service.starts}" for driver, service in drivers),
        [start_on_demand(driver.name) for driver, _ in drivers],
        result=Result.WARN,
    )


def _is_ready(windows: WindowsFacts, driver: Driver, service: WindowsService) -> bool:
    return service.starts == 0 and _bound(windows, driver)


def _bound(windows: WindowsFacts, driver: Driver) -> bool:
    bound = {(found.device, found.service) for found in windows.device_drivers or ()}
    return not driver.devices or any((one, driver.name) in bound for one in driver.devices)


def _not_ready(windows: WindowsFacts, driver: Driver, service: WindowsService) -> str:
    parts = []
    if service.starts != 0:
        by = "" if service.override is None else " by StartOverride"
        parts.append(f"Start={service.starts}{by}, and 0 is at boot")
    if not _bound(windows, driver):
        ids = ", ".join(driver.devices)
        parts.append(f"neither CriticalDeviceDatabase nor DriverDatabase has it for {ids}")
    return f"{driver.name}: {'; '.join(parts)}"


def _all_of_them(case: Case) -> tuple[str, ...]:
    drivers = (*of_disk(case.profile), *of_network(case.profile))
    return to_install(drivers) or _NONE_WANTED


def _started_and_bound(case: Case) -> tuple[str, ...]:
    disk = of_disk(case.profile)
    return to_start(disk, disk) or _NONE_WANTED


RULES = (
    Rule(
        "boot.windows-virtio-missing",
        "Windows has the drivers of the server's disk and network",
        "The server's disk and network are virtual devices (virtio on KVM, NVMe, VMBus): without "
        "the disk's driver Windows stops with INACCESSIBLE_BOOT_DEVICE. Where the target has "
        "disks of several kinds, a driver for another kind than the system disk's is not enough.",
        sources.WINDOWS_DRIVERS,
        of_windows(_missing),
        remedy=_all_of_them,
    ),
    Rule(
        "boot.windows-virtio-disabled",
        "Windows loads the drivers of the server's disk and network",
        "A driver that is only installed is of no use at boot: its Start has to be 0, and the "
        "device has to be bound to it, in CriticalDeviceDatabase or in DriverDatabase. That of the "
        "network must not be disabled.",
        sources.BOOT_START,
        of_windows(_disabled),
        remedy=_started_and_bound,
    ),
)
