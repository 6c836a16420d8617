"""The machine that a Windows program is made for (Microsoft, PE format: COFF file header)."""

from __future__ import annotations

import struct

from diskwright.guest.reading import GuestReadError
from diskwright.guest.tree import GuestTree

KERNEL = "/Windows/System32/ntoskrnl.exe"
HEADER_BYTES = 4096

_OFFSET_AT = 60
_MACHINES = {0x8664: "x86_64", 0x014C: "i686", 0xAA64: "aarch64", 0x01C4: "armv7l"}


def read_architecture(tree: GuestTree) -> str | None:
    """As `uname -m` would spell it; None where the kernel is not read or unknown."""
    try:
        header = next(tree.stream(KERNEL, HEADER_BYTES), b"")
    except GuestReadError:
        return None
    return pe_machine(header)


def pe_machine(header: bytes) -> str | None:
    if len(header) < _OFFSET_AT + 4 or not header.startswith(b"MZ"):
        return None
    (at,) = struct.unpack_from("<I", header, _OFFSET_AT)
    if at + 6 > len(header) or header[at : at + 4] != b"PE\0\0":
        return None
    (machine,) = struct.unpack_from("<H", header, at + 4)
    return _MACHINES.get(machine)
