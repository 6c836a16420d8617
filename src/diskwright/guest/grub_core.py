"""Whether GRUB's second stage is where its first stage, or its habit, has it.

Source: GRUB 2.06, grub-core/boot/i386/pc/boot.S and diskboot.S. boot.img in the first sector names
the sector of diskboot.img; that one's last bytes say where the rest of the core image is.
"""

from __future__ import annotations

import struct

from diskwright.guest.reading import Unreadable
from diskwright.guest.source import ByteSource
from diskwright.model.units import SECTOR

_BOOT_CODE = 440
_KERNEL_SECTOR = 0x5C  # u64 in boot.img
_BLOCK_LIST = 500  # in diskboot.img: first sector u64, sectors u16, segment u16
_SEGMENT = 0x820  # where the core image is loaded, GRUB_BOOT_MACHINE_KERNEL_SEG + 0x20


def has_core(source: ByteSource, boot_sector: bytes, usual: tuple[int, ...]) -> bool | None:
    """`usual` are the sectors where one would be. None: another loader's code, no core found."""
    code = boot_sector[:_BOOT_CODE]
    if b"GRUB" in code:
        return _is_core(source, struct.unpack_from("<Q", code, _KERNEL_SECTOR)[0])
    if any(_is_core(source, sector) for sector in usual):
        return True
    return None if any(code) else False


def _is_core(source: ByteSource, sector: int) -> bool:
    try:
        stage = source.read(sector * SECTOR, SECTOR)
        first, count, segment = struct.unpack_from("<QHH", stage, _BLOCK_LIST)
        if not any(stage[:_BLOCK_LIST]) or not count or segment != _SEGMENT:
            return False
        return any(source.read(first * SECTOR, SECTOR))
    except Unreadable:
        return False
