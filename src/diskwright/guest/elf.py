"""What a program is made for: its machine and its C library, from the head of its ELF file."""

from __future__ import annotations

import struct

HEADER_BYTES = 4096  # program headers, and in practice the interpreter's name, lie in these
_MACHINE_BYTES = 20
_INTERPRETER = 3  # PT_INTERP
_MAX_HEADERS = 64

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
    if len(header) < _MACHINE_BYTES or not header.startswith(b"\x7fELF"):
        return None
    wide = header[4] == 2  # EI_CLASS
    big = header[5] == 2  # EI_DATA
    (machine,) = struct.unpack_from(">H" if big else "<H", header, 18)
    return _MACHINES.get((machine, wide, big))


def elf_libc(head: bytes) -> str | None:
    """`glibc` or `musl`, by the interpreter that the program names; None where neither is seen.

    System V ABI, chapter 5, "Program Header".
    """
    if elf_machine(head) is None or len(head) < 64:
        return None
    wide, order = head[4] == 2, ">" if head[5] == 2 else "<"
    offset = struct.unpack_from(f"{order}{'Q' if wide else 'I'}", head, 32 if wide else 28)[0]
    size, count = struct.unpack_from(f"{order}HH", head, 54 if wide else 42)
    for at in range(offset, offset + size * min(count, _MAX_HEADERS), size or 1):
        if at + 56 > len(head) or struct.unpack_from(f"{order}I", head, at)[0] != _INTERPRETER:
            continue
        form, where = ("Q", at + 8) if wide else ("I", at + 4)
        start = struct.unpack_from(f"{order}{form}", head, where)[0]
        name = head[start : start + 256].split(b"\0", 1)[0].rpartition(b"/")[2]
        if name.startswith(b"ld-musl"):
            return "musl"
        return "glibc" if name.startswith((b"ld-linux", b"ld64.so", b"ld.so")) else None
    return None
