"""A virtual machine's hardware in a descriptor: processors, memory, and the disks' order."""

from __future__ import annotations

import re

from diskwright._values import Struct
from diskwright.formats.package.units import unit_bytes
from diskwright.formats.package.xml_tree import Element
from diskwright.formats.source import ImageSource, shown
from diskwright.model.package import DiskOrder
from diskwright.model.units import MIB

_CODE = "descriptor-inconsistent"

# CIM_ResourceAllocationSettingData.ResourceType
_PROCESSOR = "3"
_MEMORY = "4"
_ITEMS = ("Item", "StorageItem")  # of OVF 1; OVF 2 has another for disks
_DISK = re.compile(r"(?:ovf:/)?/?/?disk/(.+)")
_LAST = 1 << 30  # for a place that is not told


class Hardware(Struct, frozen=True):
    """`disks` are the ids that items name, by controller and address."""

    cpus: int | None
    memory_bytes: int | None
    disks: tuple[str, ...]


def read_hardware(source: ImageSource, system: Element, configuration: str) -> Hardware:
    """Of the first hardware section; items of other deployment options than the default are not."""
    section = system.first("VirtualHardwareSection")
    if section is None:
        return Hardware(None, None, ())
    items = [
        item for item in section.children if item.name in _ITEMS and _is_meant(item, configuration)
    ]
    cpus = [_quantity(source, item) for item in items if item.text_of("ResourceType") == _PROCESSOR]
    memory = [_memory(source, item) for item in items if item.text_of("ResourceType") == _MEMORY]
    return Hardware(
        cpus=sum(cpus) if cpus else None,
        memory_bytes=sum(memory) if memory else None,
        disks=_disk_ids(source, items),
    )


def disk_sequence(
    source: ImageSource, hardware: Hardware, declared: tuple[str, ...]
) -> tuple[tuple[str, ...], DiskOrder]:
    """All of `declared`: those of the hardware first, in its order."""
    for disk in hardware.disks:
        if disk not in declared:
            raise source.broken(_CODE, f"the machine has a disk {shown(disk)}, which is nowhere")
    if not hardware.disks:
        return declared, DiskOrder.DISKS
    rest = tuple(disk for disk in declared if disk not in hardware.disks)
    return hardware.disks + rest, DiskOrder.HARDWARE


def _is_meant(item: Element, configuration: str) -> bool:
    """`bound` items are limits of others, not hardware."""
    meant = item.get("configuration").split()
    return not item.get("bound") and (not meant or configuration in meant)


def _disk_ids(source: ImageSource, items: list[Element]) -> tuple[str, ...]:
    controllers = {item.text_of("InstanceID"): index for index, item in enumerate(items)}
    places: list[tuple[int, int, int, str]] = []
    for index, item in enumerate(items):
        found = _DISK.fullmatch(item.text_of("HostResource"))
        if found is None:
            continue
        controller = controllers.get(item.text_of("Parent"), _LAST)
        address = item.text_of("AddressOnParent")
        number = int(address) if re.fullmatch(r"[0-9]{1,9}", address) else _LAST
        places.append((controller, number, index, found[1]))
    disks = tuple(disk for *_, disk in sorted(places))
    if len(set(disks)) < len(disks):
        raise source.broken(_CODE, "the machine has one disk twice")
    return disks


def _quantity(source: ImageSource, item: Element) -> int:
    text = item.text_of("VirtualQuantity")
    if not re.fullmatch(r"[0-9]{1,15}", text):
        raise source.broken(_CODE, f"hardware of a quantity {shown(text)}")
    return int(text)


def _memory(source: ImageSource, item: Element) -> int:
    """Without a unit it is MiB: descriptors without one come from programs that mean that."""
    units = item.text_of("AllocationUnits")
    unit = unit_bytes(units) if units else MIB
    if unit is None:
        raise source.broken(_CODE, f"memory in units of {shown(units)}")
    memory = _quantity(source, item) * unit
    if memory >= 1 << 63:
        raise source.broken("size-too-large", f"a memory of {memory} bytes")
    return memory
