"""FAT12, FAT16 and FAT32 through fs_explorer's driver."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from diskwright.guest.filesystems import explored
from diskwright.guest.filesystems.base import past_end
from diskwright.guest.filesystems.explored import translated
from diskwright.guest.source import ByteSource
from diskwright.model.image import Problem
from diskwright.model.units import MIB, SECTOR

if TYPE_CHECKING:
    from fs_explorer.filesystems import fat as fse_fat

_CACHE_BYTES = 2 * MIB  # of FAT pages and directories

# FAT specification (Microsoft, 2005), section 3: extended boot signature, serial, state
_EXTENDED_FAT16, _EXTENDED_FAT32 = 36, 64
_STATE_DIRTY = 0x01  # as Linux sets it while mounted
_CLEAN_BIT = {16: 1 << 15, 32: 1 << 27}  # in the second entry of the FAT


def open_fat(source: ByteSource) -> FatFs | None:
    """None where there is no FAT's boot sector."""
    if source.size < SECTOR:
        return None
    sector = source.read(0, SECTOR)
    if sector[510:] != b"\x55\xaa":
        return None
    from fs_explorer.filesystems import fat

    parameters = fat.parse_bpb(sector)
    return None if parameters is None else FatFs(source, sector, parameters)


class FatFs(explored.Explored):
    """A `GuestFs`. Names are UTF-8, and found whatever their case."""

    def __init__(self, source: ByteSource, sector: bytes, parameters: fse_fat.BPB) -> None:
        from fs_explorer.filesystems import fat

        self._source = source
        self._bpb = parameters
        context = explored.context(_CACHE_BYTES)
        self._fat = fat.FATTree(explored.access(source), parameters, context)
        super().__init__(self._fat, "FAT")
        self._sector = sector
        extended = _EXTENDED_FAT32 if parameters.fat_bits == 32 else _EXTENDED_FAT16
        _, state, signature, serial = struct.unpack_from("<BBBI", sector, extended)
        self._state = state
        self._uuid = (
            f"{serial >> 16:04X}-{serial & 0xFFFF:04X}" if signature in (0x28, 0x29) else None
        )

    @property
    def type(self) -> str:
        return "vfat"

    @property
    def uuid(self) -> str | None:
        return self._uuid

    @property
    def label(self) -> str | None:
        with translated("FAT"):
            return self._fat.volume_label()

    @property
    def size(self) -> int:
        return self._bpb.total * self._bpb.bps

    @property
    def free(self) -> int | None:
        """From the FSInfo sector, which only FAT32 has, and which is a hint."""
        number = struct.unpack_from("<H", self._sector, 48)[0]
        if self._bpb.fat_bits != 32 or not 0 < number < self._bpb.reserved:
            return None
        info = self._source.read(number * self._bpb.bps, SECTOR)
        clusters = struct.unpack_from("<I", info, 488)[0]
        if (info[:4], info[484:488]) != (b"RRaA", b"rrAa") or clusters > self._bpb.clusters:
            return None
        return int(clusters) * self._bpb.cluster_size

    @property
    def dirty(self) -> bool | None:
        """By the state byte (Linux), or by the second entry of the FAT (Windows)."""
        if self._state & _STATE_DIRTY:
            return True
        bits = self._bpb.fat_bits
        if bits not in _CLEAN_BIT:
            return False
        width = bits // 8
        entry = self._source.read(self._bpb.fat_off + width, width)
        return not int.from_bytes(entry, "little") & _CLEAN_BIT[bits]

    @property
    def note(self) -> str:
        return ""

    @property
    def problems(self) -> tuple[Problem, ...]:
        return past_end(self.size, self._source.size)
