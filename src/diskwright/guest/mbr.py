"""The partition table in a disk's first sector, and the chain of logical partitions behind it.

    0    440  boot code            440  4  disk signature
    446  4 x  boot flag u8, start CHS, type u8, end CHS, first sector u32, sectors u32
    510  2    55 AA

An extended partition holds a chain of such sectors: the first entry of each is a logical partition
(counted from that sector), the second one leads on (counted from the extended partition's start).
"""

from __future__ import annotations

import struct

from diskwright._values import Struct
from diskwright.guest.reading import Unreadable
from diskwright.guest.source import ByteSource
from diskwright.model.image import Problem
from diskwright.model.partitions import Partition, PartitionRole
from diskwright.model.units import SECTOR

MAX_LOGICAL = 128
PROTECTIVE = 0xEE

_EXTENDED = frozenset({0x05, 0x0F, 0x85})
_ROLES = {
    **dict.fromkeys(_EXTENDED, PartitionRole.EXTENDED),
    0x07: PartitionRole.WINDOWS,
    0x27: PartitionRole.WINDOWS,
    0x82: PartitionRole.SWAP,
    0x83: PartitionRole.LINUX,
    0x8E: PartitionRole.LVM,
    0xEF: PartitionRole.ESP,
}


class Entry(Struct, frozen=True):
    active: bool
    type: int
    start: int  # sectors
    count: int


class BootRecord(Struct, frozen=True):
    boot_code: bool
    signature: int
    entries: tuple[Entry, ...]  # all four; unused ones have type 0 or no sectors

    @property
    def protective(self) -> bool:
        """It says: a GPT is here (also a hybrid one, which has other entries besides)."""
        return any(entry.type == PROTECTIVE for entry in self.entries)


def parse(sector: bytes) -> BootRecord | None:
    """None for a sector that holds no table; a FAT's or NTFS's boot sector holds none."""
    entries = tuple(
        Entry(flag == 0x80, kind, start, count)
        for flag, kind, start, count in struct.iter_unpack("<B3xB3xII", sector[446:510])
    )
    flags_lawful = all(sector[446 + 16 * i] in (0, 0x80) for i in range(4))
    if sector[510:512] != b"\x55\xaa" or not flags_lawful or _is_volume(sector):
        return None
    signature = struct.unpack_from("<I", sector, 440)[0]
    return BootRecord(any(sector[:440]), signature, entries)


def read(source: ByteSource, record: BootRecord) -> tuple[list[Partition], list[Problem]]:
    """The partitions as Linux numbers them: entries from 1, logical ones from 5."""
    found: list[Partition] = []
    problems: list[Problem] = []
    for i, entry in enumerate(record.entries):
        if _used(entry):
            found.append(_partition(record, i + 1, entry, 0))
    extended = next((e for e in record.entries if e.type in _EXTENDED and e.count), None)
    if extended:
        _follow(source, record, extended, found, problems)
    return found, problems


def _follow(
    source: ByteSource,
    record: BootRecord,
    extended: Entry,
    found: list[Partition],
    problems: list[Problem],
) -> None:
    """Walk the chain of logical partitions; whatever ends it too early is a problem."""
    seen: set[int] = set()
    at: int | None = extended.start
    while at is not None:
        if at in seen:
            detail = f"the table of logical partitions at sector {at} leads back to itself"
            problems.append(Problem("partition-loop", detail))
            return
        if len(seen) >= MAX_LOGICAL:
            detail = f"more than {MAX_LOGICAL} logical partitions"
            problems.append(Problem("table-too-large", detail))
            return
        seen.add(at)
        try:
            link = parse(source.read(at * SECTOR, SECTOR))
        except Unreadable as error:
            problems.append(Problem("header-inconsistent", f"logical partitions: {error.detail}"))
            return
        if link is None:
            detail = f"no table of logical partitions at sector {at}"
            problems.append(Problem("header-inconsistent", detail))
            return
        for entry in link.entries[:2]:
            if _used(entry) and entry.type not in _EXTENDED:
                number = 5 + sum(p.number >= 5 for p in found)
                found.append(_partition(record, number, entry, at))
        onward = next((e for e in link.entries[:2] if e.type in _EXTENDED and e.count), None)
        at = extended.start + onward.start if onward else None


def _used(entry: Entry) -> bool:
    return entry.type != 0 and entry.count > 0


def _partition(record: BootRecord, number: int, entry: Entry, base: int) -> Partition:
    return Partition(
        number=number,
        start=(base + entry.start) * SECTOR,
        length=entry.count * SECTOR,
        role=_ROLES.get(entry.type, PartitionRole.OTHER),
        type_id=f"{entry.type:02x}",
        partuuid=f"{record.signature:08x}-{number:02x}",
        active=entry.active,
    )


def _is_volume(sector: bytes) -> bool:
    """Whether this is the boot sector of a file system: a FAT's BPB, or NTFS's or exFAT's name."""
    if sector[3:11] in (b"NTFS    ", b"EXFAT   "):
        return True
    bytes_per_sector, per_cluster, reserved, fats = struct.unpack_from("<HBHB", sector, 11)
    return (
        sector[0] in (0xEB, 0xE9)
        and bytes_per_sector in (512, 1024, 2048, 4096)
        and per_cluster > 0
        and not per_cluster & per_cluster - 1
        and reserved > 0
        and fats in (1, 2)
        and sector[21] >= 0xF0
    )
