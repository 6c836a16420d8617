"""PE files with sections, as small as they get, and unified kernel images among them."""

from __future__ import annotations

import struct
from collections.abc import Mapping

from support.cpio_maker import archive

_OPTIONAL = 112
_ALIGN = 512


def pe(sections: Mapping[str, bytes], *, machine: int = 0x8664) -> bytes:
    """The last section is not filled up, so that an end that is missing is missing there."""
    head = b"MZ".ljust(60, b"\0") + struct.pack("<I", 64)
    head += struct.pack("<4sHH12xHH", b"PE\0\0", machine, len(sections), _OPTIONAL, 0x22E)
    head += struct.pack("<H", 0x20B).ljust(_OPTIONAL, b"\0")
    at = _round(len(head) + 40 * len(sections))
    table, body = b"", b""
    for name, content in sections.items():
        body = body.ljust(_round(len(body)), b"\0")
        place = at + len(body)
        size = len(content)
        table += struct.pack("<8sIIII16x", name.encode(), size, place, size, place)
        body += content
    return (head + table).ljust(at, b"\0") + body


def kernel(version: str = "6.1.0-9-amd64", *, machine: int = 0x8664) -> bytes:
    """An x86 kernel of which nothing is there but what says its version, in a PE's header."""
    image = bytearray(pe({".text": bytes(1200)}, machine=machine).ljust(2048, b"\0"))
    image[0x202:0x206] = b"HdrS"
    struct.pack_into("<H", image, 0x20E, 0x400)
    text = f"{version} (build@host) #1 SMP\0".encode()
    image[0x600 : 0x600 + len(text)] = text
    return bytes(image)


def uki(**changes: bytes | None) -> bytes:
    """A unified kernel image; `initrd=None` leaves a section out."""
    said: dict[str, bytes | None] = {
        "osrel": b'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12"\n',
        "cmdline": b"root=UUID=root-uuid ro console=ttyS0\0",
        "uname": b"6.1.0-9-amd64",
        "initrd": archive({"usr/lib/modules/6.1.0-9-amd64/kernel/virtio_blk.ko": b""}),
        "linux": kernel(),
        **changes,
    }
    sections = {f".{name}": content for name, content in said.items() if content is not None}
    return pe({".text": b"stub", **sections})


def _round(size: int) -> int:
    return -(-size // _ALIGN) * _ALIGN
