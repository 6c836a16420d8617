"""The GUID partition table: primary and backup, both checked.

Source: UEFI Specification 2.10, section 5.3. The primary header is in sector 1 and its entries
follow; the backup header is in the sector that the primary names, its entries before it.
"""

from __future__ import annotations

import struct
import uuid
import zlib

from diskwright._values import Struct
from diskwright.guest.reading import GuestReadError, Unreadable
from diskwright.guest.source import ByteSource
from diskwright.model.canonical import MAX_INTEGER
from diskwright.model.image import Problem
from diskwright.model.partitions import Partition, PartitionRole

SIGNATURE = b"EFI PART"
SECTOR_SIZES = (512, 4096)
MAX_ENTRIES = 1024
MAX_ENTRY_SIZE = 4096

_HEADER = struct.Struct("<8sIIII QQQQ 16s QIII")
_ENTRY = struct.Struct("<16s16sQQQ72s")
_ROLES = {
    "c12a7328-f81f-11d2-ba4b-00a0c93ec93b": PartitionRole.ESP,
    "21686148-6449-6e6f-744e-656564454649": PartitionRole.BIOS_BOOT,
    "0657fd6d-a4ab-43c4-84e5-0933c84b4f4f": PartitionRole.SWAP,
    "e6d6d379-f507-44c2-a23c-238f2a3df928": PartitionRole.LVM,
    "ebd0a0a2-b9e5-4433-87c0-68b6b72699c7": PartitionRole.WINDOWS,  # basic data
    "e3c9e316-0b5c-4db8-817d-f92df00215ae": PartitionRole.WINDOWS,  # reserved
    "de94bba4-06d1-4d40-a16a-bfd50179d6ac": PartitionRole.WINDOWS,  # recovery
    "e75caf8f-f680-4cee-afa3-b001e56efc2d": PartitionRole.WINDOWS,  # Storage Spaces
    "5808c8aa-7e8f-42e0-85d2-e1e90434cfb3": PartitionRole.WINDOWS,  # dynamic disk's metadata
    "af9b60a0-1431-4f62-bc68-3311714a69ad": PartitionRole.WINDOWS,  # dynamic disk's data
    # UAPI Discoverable Partitions Specification: data, then root, usr, var, home, srv, /boot
    "0fc63daf-8483-4772-8e79-3d69d8477de4": PartitionRole.LINUX,
    "4f68bce3-e8cd-4db1-96e7-fbcaf984b709": PartitionRole.LINUX,  # root, x86-64
    "b921b045-1df0-41c3-af44-4c6f280d3fae": PartitionRole.LINUX,  # root, aarch64
    "8484680c-9521-48c6-9c11-b0720656f69e": PartitionRole.LINUX,
    "4d21b016-b534-45c2-a9fb-5c16e091fd2d": PartitionRole.LINUX,
    "933ac7e1-2eb4-4f13-b844-0e14e2aef915": PartitionRole.LINUX,
    "3b8f8425-20e0-4f3b-907f-1a25a76f98e8": PartitionRole.LINUX,
    "bc13c2ff-59e6-4262-a352-b275fd6f7172": PartitionRole.LINUX,
}


class _Lie(Exception):
    """A header that can't be used; `args` are a problem's code and detail."""


class _Table(Struct, frozen=True):
    sector: int  # where its header is
    alternate: int
    first_usable: int
    last_usable: int
    disk_id: bytes
    entries_checksum: int
    entries: bytes
    entry_size: int


class GptReading(Struct, frozen=True):
    """`found`: there is a GPT, sound or not."""

    found: bool
    sector_size: int
    partitions: list[Partition]
    problems: list[Problem]


def read(source: ByteSource, *, announced: bool) -> GptReading:
    """`announced`: a protective MBR says there is a GPT, so the backup is looked for too."""
    for sector_size in SECTOR_SIZES:
        if _has_signature(source, sector_size, 1):
            return _read(source, sector_size)
    if announced:
        for sector_size in SECTOR_SIZES:
            if _has_signature(source, sector_size, source.size // sector_size - 1):
                return _read(source, sector_size)
        problem = Problem("header-inconsistent", "a GPT is announced, and neither copy is there")
        return GptReading(True, SECTOR_SIZES[0], [], [problem])
    return GptReading(False, SECTOR_SIZES[0], [], [])


def _read(source: ByteSource, sector_size: int) -> GptReading:
    last = source.size // sector_size - 1
    problems: list[Problem] = []
    try:
        table = _table(source, sector_size, 1)
    except _Lie as lie:
        code, detail = lie.args
        problems.append(Problem(code, f"primary GPT: {detail}"))
        try:
            table = _table(source, sector_size, last)
        except _Lie:
            return GptReading(True, sector_size, [], problems)
    else:
        problems += _compare_backup(source, sector_size, table)
    partitions = _partitions(table, sector_size, last, problems)
    return GptReading(True, sector_size, partitions, problems)


def _compare_backup(source: ByteSource, sector_size: int, primary: _Table) -> list[Problem]:
    try:
        backup = _table(source, sector_size, primary.alternate)
    except _Lie as lie:
        return [Problem("gpt-backup-missing", f"backup GPT: {lie.args[1]}")]
    same = (backup.disk_id, backup.entries_checksum) == (primary.disk_id, primary.entries_checksum)
    if not same:
        return [Problem("header-inconsistent", "the backup GPT differs from the primary one")]
    return []


def _table(source: ByteSource, sector_size: int, sector: int) -> _Table:
    if not 0 < sector < source.size // sector_size:
        raise _Lie("header-inconsistent", f"sector {sector} is past the end of the disk")
    data = _get(source, sector * sector_size, sector_size)
    fields = _HEADER.unpack_from(data)
    signature, revision, size, checksum, _, own, alternate, first, last, disk_id = fields[:10]
    at, count, entry_size, entries_checksum = fields[10:]
    if signature != SIGNATURE:
        raise _Lie("header-inconsistent", f"no header in sector {sector}")
    if revision >> 16 != 1 or not _HEADER.size <= size <= sector_size:
        raise _Lie("header-inconsistent", f"revision {revision:#x}, {size} bytes")
    if zlib.crc32(data[:16] + bytes(4) + data[20:size]) != checksum:
        raise _Lie("header-inconsistent", "wrong checksum of the header")
    if own != sector or first > last or at < 2:
        raise _Lie("header-inconsistent", "header that is made for another place")
    if not _ENTRY.size <= entry_size <= MAX_ENTRY_SIZE or entry_size % 8:
        raise _Lie("header-inconsistent", f"entries of {entry_size} bytes")
    if count > MAX_ENTRIES:
        raise _Lie("table-too-large", f"{count} entries")
    entries = _get(source, at * sector_size, count * entry_size)
    if zlib.crc32(entries) != entries_checksum:
        raise _Lie("header-inconsistent", "wrong checksum of the entries")
    return _Table(sector, alternate, first, last, disk_id, entries_checksum, entries, entry_size)


def _partitions(
    table: _Table, sector_size: int, last_sector: int, problems: list[Problem]
) -> list[Partition]:
    found: list[Partition] = []
    for offset in range(0, len(table.entries), table.entry_size):
        type_id, own_id, first, last, _, name = _ENTRY.unpack_from(table.entries, offset)
        number = offset // table.entry_size + 1
        if not any(type_id):
            continue
        detail = f"partition {number}: sectors {first} to {last} of {last_sector + 1}"
        if (max(first, last) + 1) * sector_size > MAX_INTEGER:
            problems.append(Problem("partition-past-end", detail))
            continue  # no manifest can hold its numbers
        if last > last_sector >= first:
            problems.append(Problem("partition-past-end", detail))
        elif not table.first_usable <= first <= last <= table.last_usable:
            problems.append(Problem("header-inconsistent", detail))
        if first > last:
            continue
        kind = str(uuid.UUID(bytes_le=type_id))
        found.append(
            Partition(
                number=number,
                start=first * sector_size,
                length=(last - first + 1) * sector_size,
                role=_ROLES.get(kind, PartitionRole.OTHER),
                type_id=kind,
                partuuid=str(uuid.UUID(bytes_le=own_id)),
                label=name.decode("utf-16-le", "replace").split("\0", 1)[0] or None,
            )
        )
    return found


def _has_signature(source: ByteSource, sector_size: int, sector: int) -> bool:
    place = sector * sector_size
    if sector < 1 or place + sector_size > source.size:
        return False
    try:
        return source.read(place, len(SIGNATURE)) == SIGNATURE
    except Unreadable:
        return False


def _get(source: ByteSource, offset: int, length: int) -> bytes:
    try:
        return source.read(offset, length)
    except GuestReadError as error:
        raise _Lie("header-inconsistent", error.detail) from error
