"""NTFS through fs_explorer's driver. Names are found whatever their case, as Windows finds them.

Microsoft publishes no specification; structures as the Linux kernel's fs/ntfs3/ntfs.h and ntfs-3g's
layout.h and logfile.h have them.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from diskwright.guest.filesystems import explored
from diskwright.guest.filesystems.base import past_end
from diskwright.guest.filesystems.explored import translated
from diskwright.guest.source import ByteSource
from diskwright.model.image import Problem
from diskwright.model.units import KIB, MIB, SECTOR

if TYPE_CHECKING:
    from fs_explorer.filesystems import ntfs as fse_ntfs

MAX_BITMAP = 64 * MIB  # of 2 TiB in clusters of 4 KiB; the free space of more is not counted
NOT_REPLAYED = "its log was not closed: what was written last may be missing"
MARKED = "marked dirty: Windows checks it at its next start"

_CACHE_BYTES = 8 * MIB  # of MFT records and index blocks
_LOG_FILE, _VOLUME, _BITMAP = 2, 3, 6  # numbers of MFT records
_DATA, _VOLUME_INFORMATION = 0x80, 0x70  # types of attributes
_IS_DIRTY = 0x0001  # VOLUME_IS_DIRTY
_RESTART_PAGE = 4 * KIB
_NO_CLIENT, _IS_CLEAN = 0xFFFF, 0x0002  # LOGFILE_NO_CLIENT, RESTART_VOLUME_IS_CLEAN


def open_ntfs(source: ByteSource) -> NtfsFs | None:
    """None where there is no NTFS."""
    if source.size < SECTOR:
        return None
    sector = source.read(0, SECTOR)
    if sector[3:11] != b"NTFS    ":
        return None
    from fs_explorer.filesystems import ntfs

    with translated("NTFS"):
        tree = ntfs.NTFSTree(explored.access(source), explored.context(_CACHE_BYTES))
        return NtfsFs(source, sector, tree)


class NtfsFs(explored.Explored):
    """A `GuestFs`. Its system files (`$MFT`, …) are not listed."""

    def __init__(self, source: ByteSource, sector: bytes, tree: fse_ntfs.NTFSTree) -> None:
        super().__init__(tree, "NTFS")
        self._source = source
        self._ntfs = tree
        bytes_per_sector, sectors = struct.unpack_from("<H27xQ", sector, 11)
        self._size = int(bytes_per_sector * sectors)

    @property
    def type(self) -> str:
        return "ntfs"

    @property
    def uuid(self) -> str | None:
        return f"{self._ntfs.serial:016X}"

    @property
    def label(self) -> str | None:
        with translated("NTFS"):
            return self._ntfs.volume_label()

    @property
    def size(self) -> int:
        return self._size

    @property
    def free(self) -> int | None:
        """From $Bitmap, in which a bit is a cluster in use."""
        clusters = self._size // self._ntfs.cluster_size
        length = (clusters + 7) // 8
        if length > MAX_BITMAP:
            return None
        with translated("NTFS"):
            data = self._attribute(_BITMAP, _DATA)
            if data is None:
                return None
            read = self._ntfs._attr_ra(data).read_exact
            used = 0
            for at in range(0, length, MIB):
                bits = int.from_bytes(read(at, min(MIB, length - at)), "little")
                used += (bits & (1 << min(8 * MIB, clusters - 8 * at)) - 1).bit_count()
        return (clusters - used) * self._ntfs.cluster_size

    @property
    def dirty(self) -> bool | None:
        return bool(self.note)

    @property
    def note(self) -> str:
        if self._is_marked():
            return MARKED
        return "" if self._is_log_closed() else NOT_REPLAYED

    @property
    def problems(self) -> tuple[Problem, ...]:
        return past_end(self.size, self._source.size)

    def _is_marked(self) -> bool:
        with translated("NTFS"):
            information = self._attribute(_VOLUME, _VOLUME_INFORMATION)
            if information is None:
                return False
            flags: int = struct.unpack_from("<H", information.value, 10)[0]
            return bool(flags & _IS_DIRTY)

    def _is_log_closed(self) -> bool:
        """By the newer of its two restart pages; a log that was never used is all 0xFF."""
        with translated("NTFS"):
            data = self._attribute(_LOG_FILE, _DATA)
            if data is None:
                return True
            log = self._ntfs._attr_ra(data)
            pages = [log.read_at(at, _RESTART_PAGE) for at in (0, _RESTART_PAGE)]
        areas = [area for page in pages if (area := _restart_area(page)) is not None]
        if not areas:
            return True
        _, in_use, flags = max(areas)
        return in_use == _NO_CLIENT or bool(flags & _IS_CLEAN)

    def _attribute(self, record: int, kind: int) -> Any:
        return self._ntfs._file(record).find(kind)


def _restart_area(page: bytes) -> tuple[int, int, int] | None:
    """Its sequence number, first client in use and flags; None where the page is none."""
    if page[:4] != b"RSTR" or len(page) < SECTOR:
        return None
    at = struct.unpack_from("<H", page, 24)[0]
    if at + 16 > SECTOR - 2:  # beyond, the update sequence array would have to be applied
        return None
    number, in_use, flags = struct.unpack_from("<Q4xHH", page, at)
    return number, in_use, flags
