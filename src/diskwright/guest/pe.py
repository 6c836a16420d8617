"""Programs of UEFI and kernels with an EFI stub: what their PE headers say, from hostile bytes.

PE Format (Microsoft), as far as sections go: `MZ`, at 60 where `PE\\0\\0` stands; behind that the
COFF header (machine, number of sections, at 16 the optional header's length), the optional header,
and 40 bytes for each section: name, size in memory, address, size in the file, place in the file.
"""

from __future__ import annotations

import struct

from diskwright._values import Struct
from diskwright.guest.reading import Unreadable
from diskwright.guest.tree import GuestTree

MAX_SECTIONS = 96  # as many as Windows loads
MAX_HEADER_AT = 1 << 20

_DOS_BYTES, _COFF_BYTES, _SECTION_BYTES = 64, 24, 40
_MACHINES = {
    0x8664: "x86_64",
    0x014C: "i686",
    0xAA64: "aarch64",
    0x01C2: "armv7l",
    0x01C4: "armv7l",
    0x5064: "riscv64",
    0x6264: "loongarch64",
}


class PeSection(Struct, frozen=True):
    """`offset` and `size` in bytes of the file, as far as it means anything."""

    name: str
    offset: int
    size: int


class PeFile(Struct, frozen=True):
    """`architecture` as uname -m spells it; None for a machine that is not known.

    `damage` says which section the file ends within, mostly none.
    """

    path: str
    architecture: str | None
    sections: tuple[PeSection, ...]
    damage: str = ""

    def section(self, name: str) -> PeSection | None:
        """The first of that name."""
        return next((section for section in self.sections if section.name == name), None)


def read_pe(tree: GuestTree, path: str) -> PeFile | None:
    """None for a file that is no PE. Raises GuestReadError."""
    dos = tree.read_part(path, 0, _DOS_BYTES)
    if len(dos) < _DOS_BYTES or not dos.startswith(b"MZ"):
        return None
    (at,) = struct.unpack_from("<I", dos, 60)
    if at > MAX_HEADER_AT:
        return None
    coff = tree.read_part(path, at, _COFF_BYTES)
    if len(coff) < _COFF_BYTES or not coff.startswith(b"PE\0\0"):
        return None
    machine, count = struct.unpack_from("<HH", coff, 4)
    (optional,) = struct.unpack_from("<H", coff, 20)
    if count > MAX_SECTIONS:
        raise Unreadable("too-large", f"has {count} sections, {MAX_SECTIONS} are read", path=path)
    start = at + _COFF_BYTES + optional
    table = tree.read_part(path, start, count * _SECTION_BYTES)
    if len(table) < count * _SECTION_BYTES:
        raise Unreadable("damaged", "ends within its table of sections", path=path)
    size = tree.size(path)
    sections = []
    damage = ""
    for name, memory, raw, offset in struct.iter_unpack("<8sI4xII16x", table):
        label = name.rstrip(b"\0").decode("ascii", "backslashreplace")
        held = min(memory, raw)
        if held and offset + held > size:
            damage = damage or f"ends within its section {label}"
        sections.append(PeSection(label, offset, held))
    return PeFile(path, _MACHINES.get(machine), tuple(sections), damage)


def read_section(tree: GuestTree, pe: PeFile, name: str, limit: int) -> bytes | None:
    """The content of a section of at most `limit` bytes; None where there is none of that name."""
    section = pe.section(name)
    if section is None:
        return None
    if section.size > limit:
        detail = f"has {section.size} bytes in {name}, {limit} are read"
        raise Unreadable("too-large", detail, path=pe.path)
    content = tree.read_part(pe.path, section.offset, section.size)
    if len(content) < section.size:
        raise Unreadable("damaged", f"ends within its section {name}", path=pe.path)
    return content
