"""What a kernel's file says of itself: its release, and the machine that it is made for.

Kernel, Documentation/arch/x86/boot.rst: at 0x202 `HdrS`; at 0x20E, u16, where the version's text
begins, counted from 0x200. The machine is that of the PE header, which every kernel with an EFI
stub has.
"""

from __future__ import annotations

import re
import struct

from diskwright.guest.pe import PeSection, read_pe
from diskwright.guest.reading import GuestReadError
from diskwright.guest.tree import GuestTree
from diskwright.guest.walking import show

_SETUP = 0x200
_MAGIC_AT, _VERSION_AT, _HEADER_END = 0x202, 0x20E, 0x210
_MAX_RELEASE = 256
_RELEASE = re.compile(r"\d+\.\d[\w.+~-]*")


def release_of(tree: GuestTree, path: str, section: PeSection | None = None) -> str:
    """Of a kernel for x86, which may be a section of a file; empty where it does not say."""
    start = section.offset if section else 0
    header = tree.read_part(path, start, _HEADER_END)
    if len(header) < _HEADER_END or header[_MAGIC_AT : _MAGIC_AT + 4] != b"HdrS":
        return ""
    (at,) = struct.unpack_from("<H", header, _VERSION_AT)
    end = _SETUP + at + _MAX_RELEASE
    if not at or (section is not None and end > section.size):
        return ""
    text = show(tree.read_part(path, start + _SETUP + at, _MAX_RELEASE).split(b"\0")[0])
    match = _RELEASE.match(text)
    return match[0] if match else ""


def machine_of(tree: GuestTree, path: str) -> str | None:
    """As uname -m spells it; None where that can't be told."""
    try:
        pe = read_pe(tree, path)
    except GuestReadError:
        return None
    return pe.architecture if pe else None
