"""VMDK files that no tool here makes: VMware's streams, and sparse extents of any content."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field

SECTOR = 512
GRAIN = 128
AT_END = (1 << 64) - 1
HEADER = struct.Struct("<4sIIQQQQIQQQB4sH")
STREAM_FLAGS = 0x30001


def sectors(data: bytes) -> bytes:
    return data.ljust(-(-len(data) // SECTOR) * SECTOR, b"\0")


def descriptor(
    *extents: str,
    create_type: str = "monolithicSparse",
    parent: str = "ffffffff",
    more: str = "",
) -> bytes:
    lines = "\n".join(extents)
    return (
        f"# Disk DescriptorFile\nversion=1\nCID=12345678\nparentCID={parent}\n"
        f'createType="{create_type}"\n{more}\n# Extents\n{lines}\n\n# The Disk Data Base\n'
        'ddb.adapterType = "lsilogic"\nddb.geometry.cylinders = "16"\n'
        'ddb.geometry.heads = "64"\nddb.geometry.sectors = "32"\n'
    ).encode()


def header(capacity: int, directory: int, **other: int) -> bytes:
    fields = {
        "version": 3,
        "flags": STREAM_FLAGS,
        "descriptor": 1,
        "descriptor_size": 20,
        "entries": 512,
        "redundant": 0,
        "overhead": 128,
        "unclean": 0,
        "compression": 1,
        "grain": GRAIN,
    } | other
    fixed = HEADER.pack(
        b"KDMV",
        fields["version"],
        fields["flags"],
        capacity,
        fields["grain"],
        fields["descriptor"],
        fields["descriptor_size"],
        fields["entries"],
        fields["redundant"],
        directory,
        fields["overhead"],
        fields["unclean"],
        b"\n \r\n",
        fields["compression"],
    )
    return sectors(fixed)


@dataclass
class Stream:
    """A streamOptimized file as VMware writes it: markers, tables after their grains, a footer.

    `grains` is number -> content. The dictionaries replace fields in the header and the footer.
    """

    capacity: int
    grains: Mapping[int, bytes]
    text: bytes | None = None
    in_header: dict[str, int] = field(default_factory=dict)
    in_footer: dict[str, int] = field(default_factory=dict)
    lie_lba: int = 0  # added to what grain markers say
    lie_size: int | None = None  # what grain markers say instead

    def build(self) -> bytes:
        line = f'RW {self.capacity} SPARSE "made.vmdk"'
        text = self.text or descriptor(line, create_type="streamOptimized")
        at_end: dict[str, int] = {"directory": AT_END} | self.in_header
        out = bytearray(header(self.capacity, **at_end) + text.ljust(20 * SECTOR, b"\0"))
        out = bytearray(out.ljust(128 * SECTOR, b"\0"))
        tables = -(-self.capacity // (GRAIN * 512))
        directory = [0] * tables
        for table in range(tables):
            places = [0] * 512
            for number in sorted(n for n in self.grains if n // 512 == table):
                places[number % 512] = len(out) // SECTOR
                out += self._grain(number)
            if any(places):
                out += self._marker(4, 1)
                directory[table] = len(out) // SECTOR
                out += struct.pack("<512I", *places)
        data = sectors(struct.pack(f"<{tables}I", *directory))
        out += self._marker(len(data) // SECTOR, 2)
        found: dict[str, int] = {"directory": len(out) // SECTOR} | self.in_footer
        out += data
        out += self._marker(1, 3) + header(self.capacity, **found)
        return bytes(out + bytes(SECTOR))

    def _grain(self, number: int) -> bytes:
        packed = zlib.compress(self.grains[number])
        size = len(packed) if self.lie_size is None else self.lie_size
        return sectors(struct.pack("<QI", number * GRAIN + self.lie_lba, size) + packed)

    def _marker(self, length: int, kind: int) -> bytes:
        return sectors(struct.pack("<QII", length, 0, kind))


def sparse(
    capacity: int,
    places: Mapping[int, int],
    *,
    text: bytes | None = None,
    length: int | None = None,
    copies: Mapping[int, int] | None = None,
    directory: Mapping[int, int] | None = None,
    **fields: int,
) -> bytes:
    """A plain sparse file: grain number -> its sector, the file `length` sectors long.

    The descriptor is at sector 1, the directory at 21, tables from 22 on; copies of them (where
    they are given) at 40 and from 41 on. Small disks only.
    """
    grain = fields.get("grain", GRAIN)
    tables = -(-capacity // (grain * 512))
    assert tables <= 4
    line = f'RW {capacity} SPARSE "made.vmdk"'
    text = descriptor(line) if text is None else text
    flags = 1 | (2 if copies is not None else 0)
    fixed = {"version": 1, "flags": flags, "compression": 0, "overhead": 64}
    fixed["redundant"] = 40 if copies is not None else 0
    length = max([64, *(place + grain for place in places.values())]) if length is None else length
    out = bytearray(length * SECTOR)

    def put(sector: int, data: bytes) -> None:
        out[sector * SECTOR : sector * SECTOR + len(data)] = data

    put(0, header(capacity, **({"directory": 21} | fixed | fields)))
    put(1, text)
    for start, content in ((21, places), (40, copies)):
        if content is None:
            continue
        named = {n: start + 1 + 4 * n for n in range(tables)}
        named |= directory or {} if start == 21 else {}
        put(start, struct.pack(f"<{tables}I", *named.values()))
        for n in range(tables):
            entries = [content.get(n * 512 + i, 0) for i in range(512)]
            put(start + 1 + 4 * n, struct.pack("<512I", *entries))
    for number, place in places.items():
        if 63 < place < length:
            put(place, bytes([number % 255 + 1]) * SECTOR)
    return bytes(out[: length * SECTOR])
