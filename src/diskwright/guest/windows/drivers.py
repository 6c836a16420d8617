"""The drivers that a server's disk and network need: registered, on disk, and bound to a device.

Windows finds the driver of the disk that it starts from by its PCI id: in CriticalDeviceDatabase
(until Windows 7), since Windows 8 in DriverDatabase, where an id names .inf files, an .inf file its
package, and a package the services that it installs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from diskwright.guest.tree import GuestTree
from diskwright.guest.windows.hive import Key
from diskwright.guest.windows.paths import file_of, is_file
from diskwright.model.windows import DeviceDriver, WindowsService

OF_INTEREST = (
    *("viostor", "vioscsi", "netkvm", "balloon", "vioser", "vioserial", "virtioserial"),  # KVM
    *("xenvbd", "xennet"),
    *("storvsc", "vmbus", "netvsc"),  # Hyper-V
    *("stornvme", "storahci", "ena"),
)
MAX_FOUND = 200

_DEVICE = re.compile(r"ven_1af4&dev_(1000|1001|1004|1041|1042|1048)(?![0-9a-f])")
CRITICAL, DATABASE = "CriticalDeviceDatabase", "DriverDatabase"


def read_services(tree: GuestTree, control_set: Key) -> tuple[WindowsService, ...]:
    services = control_set.key("Services")
    found = ((name, services.key(name)) for name in OF_INTEREST) if services else ()
    return tuple(read_service(tree, name, key) for name, key in found if key is not None)


def read_service(tree: GuestTree, name: str, key: Key) -> WindowsService:
    image_path = key.text("ImagePath")
    file = file_of(image_path, name)
    override = key.key("StartOverride")
    others = [override.number(value) for value in override.values()] if override else []
    return WindowsService(
        name,
        start=key.number("Start"),
        type=key.number("Type"),
        group=key.text("Group"),
        image_path=image_path,
        file=file,
        file_exists=is_file(tree, file),
        override=max((n for n in others if n is not None), default=None),
    )


def read_device_drivers(system: Key, control_set: Key) -> tuple[DeviceDriver, ...]:
    """Of virtio's block, SCSI and network devices, old and new ones."""
    found = (*_critical(control_set), *_database(system))
    return tuple(islice(dict.fromkeys(found), MAX_FOUND))


def _critical(control_set: Key) -> Iterator[DeviceDriver]:
    devices = control_set.key("Control\\CriticalDeviceDatabase")
    for name, key in devices.keys().items() if devices else ():
        bus, _, identity = name.partition("#")
        device = _DEVICE.match(identity)
        service = key.text("Service")
        if bus == "pci" and device and service:
            yield DeviceDriver(f"1af4:{device[1]}", service.lower(), CRITICAL)


def _database(system: Key) -> Iterator[DeviceDriver]:
    database = system.key(DATABASE)
    devices = database.key("DeviceIds\\PCI") if database else None
    for name, key in devices.keys().items() if devices else ():
        device = _DEVICE.match(name)
        if database is None or device is None:
            continue
        for inf in key.values():
            for service in _services_of(database, inf):
                yield DeviceDriver(f"1af4:{device[1]}", service, DATABASE)


def _services_of(database: Key, inf: str) -> Iterator[str]:
    entry = database.key(f"DriverInfFiles\\{inf}") if inf else None
    package = entry.text("Active") if entry else None
    settings = database.key(f"DriverPackages\\{package}\\Configurations") if package else None
    for one in settings.keys().values() if settings else ():
        service = one.text("Service")
        if service:
            yield service.lower()
