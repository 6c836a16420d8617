"""An OVF descriptor: one virtual machine, its disks in order, and the files that hold them.

Source: DMTF DSP0243, versions 1.1 and 2.1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from diskwright._values import Struct
from diskwright.formats import limits
from diskwright.formats.package.hardware import disk_sequence, read_hardware
from diskwright.formats.package.tar_members import is_plain_name
from diskwright.formats.package.units import unit_bytes
from diskwright.formats.package.xml_tree import Element, parse
from diskwright.formats.source import ImageSource, shown
from diskwright.model.package import DiskOrder

_CODE = "descriptor-inconsistent"
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


class OvfFile(Struct, frozen=True):
    """`size` in bytes, where the descriptor says it."""

    href: str
    size: int | None
    compression: str


class OvfDisk(Struct, frozen=True):
    """`capacity` in bytes; `format` is a URI."""

    file: OvfFile
    capacity: int
    format: str


class Descriptor(Struct, frozen=True):
    """`files` are all that it names, each a plain name; `disks` those of the machine, in order."""

    name: str
    os_id: int | None
    os_description: str
    cpus: int | None
    memory_bytes: int | None
    files: tuple[OvfFile, ...]
    disks: tuple[OvfDisk, ...]
    disk_order: DiskOrder


def read_descriptor(source: ImageSource) -> Descriptor:
    """What the .ovf that `source` is says of one machine.

    Raises ImageUnsafe (`reference-outside`, `xml-entities`), ImageBroken and ImageUnsupported.
    """
    root = parse(source)
    if root.name != "Envelope":
        raise source.broken(_CODE, f"a descriptor that begins with {shown(root.name)}")
    files = _files(source, root)
    system = _only_system(source, root)
    if root.first("EncryptionSection"):
        raise source.unsupported("encryption", "files of the package are encrypted")
    disks = _disks(source, root, files)
    hardware = read_hardware(source, system, _default_configuration(root))
    known, order = disk_sequence(source, hardware, tuple(disks))
    os_section = system.first("OperatingSystemSection") or Element("", {})
    os_id = os_section.get("id")
    return Descriptor(
        name=system.text_of("Name") or system.get("id"),
        os_id=int(os_id) if re.fullmatch(r"[0-9]{1,9}", os_id) else None,
        os_description=os_section.text_of("Description"),
        cpus=hardware.cpus,
        memory_bytes=hardware.memory_bytes,
        files=tuple(files.values()),
        disks=tuple(disks[disk] for disk in known),
        disk_order=order,
    )


def _files(source: ImageSource, root: Element) -> dict[str, OvfFile]:
    files: dict[str, OvfFile] = {}
    for references in root.all("References"):
        for element in references.all("File"):
            href = element.get("href")
            if _SCHEME.match(href) or not is_plain_name(href):
                detail = f"the descriptor names a file elsewhere: {shown(href)}"
                raise source.unsafe("reference-outside", detail)
            if element.get("chunkSize"):
                raise source.unsupported("member-chunked", f"{shown(href)} is cut into chunks")
            key = element.get("id")
            if not key or key in files:
                raise source.broken(_CODE, f"two files, or one without, have the id {shown(key)}")
            size = element.get("size")
            files[key] = OvfFile(
                href,
                int(size) if re.fullmatch(r"[0-9]{1,18}", size) else None,
                element.get("compression"),
            )
    return files


def _only_system(source: ImageSource, root: Element) -> Element:
    """The one VirtualSystem, perhaps in collections."""
    found: list[Element] = []
    pending = [root]
    while pending:
        element = pending.pop()
        found += element.all("VirtualSystem")
        pending += element.all("VirtualSystemCollection")
    if len(found) > 1:
        detail = f"{len(found)} virtual machines in one package, of which one is read"
        raise source.unsupported("several-systems", detail)
    if not found:
        raise source.broken(_CODE, "a descriptor without a virtual machine")
    return found[0]


def _disks(source: ImageSource, root: Element, files: Mapping[str, OvfFile]) -> dict[str, OvfDisk]:
    disks: dict[str, OvfDisk] = {}
    for section in root.all("DiskSection"):
        for element in section.all("Disk"):
            key = element.get("diskId")
            if not key or key in disks:
                raise source.broken(_CODE, f"two disks, or one without, have the id {shown(key)}")
            disks[key] = _disk(source, element, files)
    if not disks:
        raise source.unsupported("no-disk", "a package without a disk")
    if len(disks) > limits.OVF_DISKS:
        raise source.broken("table-too-large", f"{len(disks)} disks")
    return disks


def _disk(source: ImageSource, element: Element, files: Mapping[str, OvfFile]) -> OvfDisk:
    key, reference = element.get("diskId"), element.get("fileRef")
    if element.get("parentRef"):
        raise source.unsupported("disk-parent", f"the disk {shown(key)} is a delta on another")
    if not reference:
        raise source.unsupported("disk-empty", f"the disk {shown(key)} has no file: it is blank")
    if reference not in files:
        raise source.broken(_CODE, f"the disk {shown(key)} names no file of the package")
    file = files[reference]
    if file.compression not in ("", "identity"):
        detail = f"{shown(file.href)} is compressed ({shown(file.compression)})"
        raise source.unsupported("member-compressed", detail)
    digits = element.get("capacity")
    if digits.startswith("${"):
        raise source.unsupported("disk-capacity", f"the disk {shown(key)} has a size to be chosen")
    units = element.get("capacityAllocationUnits")
    unit = unit_bytes(units or "byte")
    if unit is None or not re.fullmatch(r"[0-9]{1,18}", digits):
        detail = f"the disk {shown(key)} has a size of {shown(digits)} {shown(units)}"
        raise source.broken(_CODE, detail)
    capacity = int(digits) * unit
    if not 0 < capacity < 1 << 63:
        raise source.broken("size-too-large", f"the disk {shown(key)} has {capacity} bytes")
    return OvfDisk(file, capacity, element.get("format"))


def _default_configuration(root: Element) -> str:
    """Of the deployment options: the one marked so, else the first; empty where there are none."""
    section = root.first("DeploymentOptionSection")
    options = list(section.all("Configuration")) if section else []
    for option in options:
        if option.get("default") in ("true", "1"):
            return option.get("id")
    return options[0].get("id") if options else ""
