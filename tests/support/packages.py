"""Packages of disks: an OVF descriptor, and the tar archive around it."""

from __future__ import annotations

import hashlib
import io
import tarfile

HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1"'
    ' xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1"'
    ' xmlns:rasd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/'
    'CIM_ResourceAllocationSettingData">'
)
CPU = (3, "<rasd:VirtualQuantity>2</rasd:VirtualQuantity>")
MEMORY = (
    4,
    "<rasd:AllocationUnits>byte * 2^20</rasd:AllocationUnits>"
    "<rasd:VirtualQuantity>512</rasd:VirtualQuantity>",
)


def file(key: str, href: str, more: str = "") -> str:
    return f'<File ovf:id="{key}" ovf:href="{href}" {more}/>'


def disk(key: str, reference: str, more: str = 'ovf:capacity="1048576"') -> str:
    return f'<Disk ovf:diskId="{key}" ovf:fileRef="{reference}" {more}/>'


def item(number: int, kind: int, inside: str, attributes: str = "") -> str:
    return (
        f"<Item {attributes}><rasd:InstanceID>{number}</rasd:InstanceID>"
        f"<rasd:ResourceType>{kind}</rasd:ResourceType>{inside}</Item>"
    )


def drive(number: int, key: str, parent: int, address: int | str) -> str:
    return item(
        number,
        17,
        f"<rasd:HostResource>ovf:/disk/{key}</rasd:HostResource><rasd:Parent>{parent}"
        f"</rasd:Parent><rasd:AddressOnParent>{address}</rasd:AddressOnParent>",
    )


def descriptor(
    *,
    files: str = file("f1", "a.vmdk"),
    disks: str = disk("d1", "f1"),
    items: str = item(1, *CPU) + item(2, *MEMORY),
    system: str = '<Name>web</Name><OperatingSystemSection ovf:id="96"><Description>Debian'
    "</Description></OperatingSystemSection>",
    extra: str = "",
    head: str = HEAD,
) -> bytes:
    return (
        f"{head}<References>{files}</References><DiskSection>{disks}</DiskSection>{extra}"
        f'<VirtualSystem ovf:id="web-01">{system}<VirtualHardwareSection>{items}'
        "</VirtualHardwareSection></VirtualSystem></Envelope>"
    ).encode()


def manifest(*members: tuple[str, bytes], algorithm: str = "sha256") -> bytes:
    return "".join(
        f"{algorithm.upper()}({name})= {hashlib.new(algorithm, data).hexdigest()}\n"
        for name, data in members
    ).encode()


def archive(*members: tuple[str, bytes], kind: int = tarfile.USTAR_FORMAT) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=kind) as tar:
        for name, data in members:
            about = tarfile.TarInfo(name)
            about.size = len(data)
            tar.addfile(about, io.BytesIO(data))
    return packed.getvalue()


def header(name: bytes, size: int = 0, kind: bytes = b"0", **fields: bytes) -> bytes:
    """One block of ustar with the checksum that belongs to it; `size_field` as it is to stand."""
    block = bytearray(512)
    size_field = fields.get("size_field", b"%011o\0" % size)
    parts = [(0, name), (100, b"0000644\0"), (124, size_field), (156, kind)]
    parts += [(257, fields.get("magic", b"ustar\00000")), (345, fields.get("prefix", b""))]
    for at, data in parts:
        block[at : at + len(data)] = data
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 512)
