"""What only a Windows has: its drivers, hibernation, restarts that it waits for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from diskwright.model.finding import Result, Severity
from diskwright.model.guest import Section
from diskwright.model.windows import Hibernation, WindowsFacts, WindowsService
from diskwright.rules import sources
from diskwright.rules.rule import (
    Case,
    Outcome,
    Rule,
    breaks,
    holds,
    of_registry,
    skip,
    unread,
    unread_section,
)


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
_NO_HIBERNATION = ("powercfg /hibernate off", "Stop-Computer -Force")
_RESTART = ("Restart-Computer -Force", "# once it is up again:", "Stop-Computer -Force")

_Judge = Callable[[Case, WindowsFacts], Outcome]


def of_windows(judge: _Judge) -> Callable[[Case], Outcome]:
    def check(case: Case) -> Outcome:
        if case.guest.windows is not None:
            return judge(case, case.guest.windows)
        if case.guest.root is None:
            return unread_section(case, Section.ROOT, "the root file system")
        return skip("the guest is no Windows")

    return of_registry(check)


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


def _missing(case: Case, windows: WindowsFacts) -> Outcome:
    disk, network = _wanted(case, _DISK), _wanted(case, _NETWORK)
    if not disk and not network:
        return skip("this target asks for none")
    if windows.services is None:
        return unread_section(case, Section.WINDOWS, "which drivers are installed")
    for drivers, what, result in ((disk, "disk", None), (network, "network", Result.WARN)):
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
    disk = _wanted(case, _DISK)
    if not disk:
        return skip("this target asks for none")
    if windows.services is None or windows.device_drivers is None:
        return unread_section(case, Section.WINDOWS, "when the drivers are started")
    there = _installed(windows, disk)
    if not there:
        return skip("a driver that is not installed is told by boot.windows-virtio-missing")
    ready = [driver for driver, s in there if s.starts == 0 and _bound(windows, driver)]
    if ready:
        return holds(f"{_names(ready, ', ')}: started at boot, and bound to its device")
    if any(service.starts is None for _, service in there):
        return unread("when the drivers are started can't be told", (s.name for _, s in there))
    return breaks(
        f"{_names((driver for driver, _ in there), ', ')}: installed, and not driving the server's "
        "disk at boot",
        (_not_ready(windows, driver, service) for driver, service in there),
        [
            line
            for driver, service in there
            for line in (
                *(_start_at_boot(driver.name) if service.starts != 0 else ()),
                *(() if _bound(windows, driver) else _BIND),
            )
        ],
    )


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


def _start_at_boot(name: str) -> tuple[str, ...]:
    key = f"{_SERVICES}\\{name}"
    return (
        f"Set-ItemProperty {key} -Name Start -Value 0",
        f"Remove-Item {key}\\StartOverride -Recurse -ErrorAction SilentlyContinue",
    )


def _hibernated(case: Case, windows: WindowsFacts) -> Outcome:
    state = windows.hibernation
    if state is None:
        return unread_section(case, Section.WINDOWS, "hiberfil.sys")
    if state is Hibernation.UNKNOWN:
        return unread("hiberfil.sys begins with what is not known")
    if state is Hibernation.SAVED:
        return breaks(
            "Windows is hibernated: it goes on with the old machine's memory, on other devices",
            ("hiberfil.sys holds a saved state",),
            _NO_HIBERNATION,
        )
    if state is Hibernation.EMPTY and windows.fast_startup is None:
        return unread_section(case, Section.WINDOWS, "whether fast startup is on")
    if state is Hibernation.EMPTY and windows.fast_startup:
        return breaks(
            "fast startup is on: at its next shutdown Windows hibernates",
            ("HiberbootEnabled=1", "hiberfil.sys is there, without a saved state"),
            _NO_HIBERNATION,
            result=Result.WARN,
        )
    return holds("Windows was shut down, and not hibernated")


def _pending(case: Case, windows: WindowsFacts) -> Outcome:
    if windows.pending_reboot is None:
        return unread_section(case, Section.WINDOWS, "whether a restart is waited for")
    if windows.pending_reboot:
        return breaks(
            "Windows waits for a restart to end what it has begun", windows.pending_reboot, _RESTART
        )
    return holds("Windows waits for no restart")


RULES = (
    Rule(
        "boot.windows-virtio-missing",
        "Windows has the drivers of the server's disk and network",
        "The server's disk and network are virtual devices (virtio on KVM, NVMe, VMBus): without "
        "the disk's driver Windows stops with INACCESSIBLE_BOOT_DEVICE. One of the disk's drivers "
        "is enough.",
        sources.WINDOWS_DRIVERS,
        of_windows(_missing),
        remedy=_INSTALL,
    ),
    Rule(
        "boot.windows-virtio-disabled",
        "Windows loads the driver of the server's disk at boot",
        "A driver that is only installed is of no use at boot: its Start has to be 0, and the "
        "device has to be bound to it, in CriticalDeviceDatabase or in DriverDatabase.",
        sources.BOOT_START,
        of_windows(_disabled),
        remedy=(*_start_at_boot("DRIVER"), *_BIND),
    ),
    Rule(
        "disk.windows-hibernated",
        "Windows was shut down, and not hibernated",
        "A saved state belongs to the machine that saved it. What is on the disk beside it is not "
        "what Windows will go on with, and nobody else may write there. With fast startup every "
        "shutdown hibernates.",
        sources.HIBERNATION,
        of_windows(_hibernated),
        remedy=_NO_HIBERNATION,
    ),
    Rule(
        "os.pending-reboot",
        "Windows waits for no restart",
        "Every server made from the image ends the old machine's updates at its first start, which "
        "takes long, and fails on all of them at once if it fails.",
        sources.PENDING,
        of_windows(_pending),
        Result.WARN,
        Severity.LOW,
        remedy=_RESTART,
    ),
)
