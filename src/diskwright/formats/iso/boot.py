"""How an ISO boots: El Torito's catalog (El Torito 1.0), and partition tables for a USB stick."""

from __future__ import annotations

from collections.abc import Iterator

from diskwright._values import Struct
from diskwright.formats import limits
from diskwright.formats.iso.layout import SECTOR
from diskwright.formats.iso.space import Space
from diskwright.formats.source import ImageSource
from diskwright.model.image import Problem
from diskwright.model.iso import BootEntry, BootPlatform, IsoExtent

SYSTEM_ID = b"EL TORITO SPECIFICATION"
_ENTRY_BYTES = 32
_BOOTABLE = 0x88
_VALIDATION, _SECTION, _LAST_SECTION, _EXTENSION = 0x01, 0x90, 0x91, 0x44
_KEY = b"\x55\xaa"

_PLATFORMS = {
    0x00: BootPlatform.BIOS,
    0x01: BootPlatform.POWERPC,
    0x02: BootPlatform.MAC,
    0xEF: BootPlatform.EFI,  # UEFI 2.10 section 13.3.2.1
}
# Emulation (figure 4): name, and size in bytes where the medium's is fixed
_EMULATIONS = {
    0: ("none", 0),
    1: ("floppy-1.2M", 1_228_800),
    2: ("floppy-1.44M", 1_474_560),
    3: ("floppy-2.88M", 2_949_120),
    4: ("hard-disk", 0),
}


class Catalog(Struct, frozen=True):
    """`entries` with a size that the catalog alone tells."""

    entries: tuple[BootEntry, ...]
    problems: tuple[Problem, ...]


def read_catalog(record: bytes, space: Space) -> Catalog:
    """The catalog that a boot record (sector) names. Raises ImageBroken (`offset-past-end`)."""
    at = int.from_bytes(record[71:75], "little") * SECTOR
    data = space.source.read(at, limits.ISO_BOOT_ENTRIES * _ENTRY_BYTES)
    if data[0] != _VALIDATION or data[30:32] != _KEY:
        raise space.source.broken("boot-catalog", "El Torito's catalog has no first entry", at)
    problems = []
    words = (int.from_bytes(data[i : i + 2], "little") for i in range(0, _ENTRY_BYTES, 2))
    if sum(words) & 0xFFFF:
        problems.append(Problem("boot-catalog", "the checksum of El Torito's catalog is wrong"))
    entries = []
    for platform, offset in _places(data):
        entry = _entry(data[offset : offset + _ENTRY_BYTES], platform)
        # a size of 0 or 1 sectors is a tool's placeholder: at least the first sector is there
        if entry.bootable or entry.lba:
            space.extents([IsoExtent(entry.lba * SECTOR, max(entry.size, 1))], at + offset)
            entries.append(entry)
    return Catalog(tuple(entries), tuple(problems))


def _places(data: bytes) -> Iterator[tuple[int, int]]:
    """Platform and offset of each entry: the initial one, then those of the sections."""
    platform = data[1]
    yield platform, _ENTRY_BYTES
    offset = 2 * _ENTRY_BYTES
    while offset < len(data) and data[offset] in (_SECTION, _LAST_SECTION):
        last = data[offset] == _LAST_SECTION
        platform = data[offset + 1]
        count = int.from_bytes(data[offset + 2 : offset + 4], "little")
        offset += _ENTRY_BYTES
        while count and offset < len(data):
            if data[offset] != _EXTENSION:
                yield platform, offset
                count -= 1
            offset += _ENTRY_BYTES
        while offset < len(data) and data[offset] == _EXTENSION:
            offset += _ENTRY_BYTES
        if last:
            return


def _entry(data: bytes, platform: int) -> BootEntry:
    emulation, size = _EMULATIONS.get(data[1] & 0x0F, (f"unknown {data[1] & 0x0F}", 0))
    sectors = int.from_bytes(data[6:8], "little")
    return BootEntry(
        platform=_PLATFORMS.get(platform, BootPlatform.OTHER),
        bootable=data[0] == _BOOTABLE,
        emulation=emulation,
        load_segment=int.from_bytes(data[2:4], "little"),
        sectors=sectors,
        lba=int.from_bytes(data[8:12], "little"),
        size=size or sectors * 512,
    )


class Tables(Struct, frozen=True):
    """Partition tables in the system area, the first 32 KiB that ISO 9660 leaves alone."""

    mbr: bool
    gpt: bool
    usb_bootable: bool


_ESP = bytes.fromhex("28732ac11ff8d211ba4b00a0c93ec93b")  # EFI system partition
_BASIC_DATA = bytes.fromhex("a2a0d0ebe5b9334487c068b6b72699c7")  # what isohybrid marks one as


def read_tables(source: ImageSource) -> Tables:
    """`usb_bootable`: written to a stick, some firmware finds what to start."""
    head = source.read_up_to(0, 16 * SECTOR)
    kinds = [head[at + 4] for at in range(446, 510, 16)] if head[510:512] == _KEY else []
    mbr = any(kinds)
    gpt = head[512:520] == b"EFI PART"
    types = {head[at : at + 16] for at in range(1024, len(head) - 127, 128)} if gpt else set()
    by_bios = mbr and any(head[:440])
    by_efi = 0xEF in kinds or _ESP in types or (_BASIC_DATA in types and mbr)
    return Tables(mbr, gpt, by_bios or by_efi)
