"""The machine that a program is made for, from the first bytes of its ELF header."""

from __future__ import annotations

import struct

HEADER_BYTES = 20

# System V ABI, chapter 4, e_machine; spelled as uname -m does. Keys: machine, 64 bit, big endian.
_MACHINES = {
    (62, True, False): "x86_64",
    (3, False, False): "i686",
    (183, True, False): "aarch64",
    (40, False, False): "armv7l",
    (21, True, False): "ppc64le",
    (21, True, True): "ppc64",
    (22, True, True): "s390x",
    (243, True, False): "riscv64",
    (258, True, False): "loongarch64",
}


def elf_machine(header: bytes) -> str | None:
    """The architecture's name; None for what is no ELF file or names an unknown machine."""
    if len(header) < HEADER_BYTES or not header.startswith(b"\x7fELF"):
        return None
    wide = header[4] == 2  # EI_CLASS
    big = header[5] == 2  # EI_DATA
    (machine,) = struct.unpack_from(">H" if big else "<H", header, 18)
    return _MACHINES.get((machine, wide, big))
