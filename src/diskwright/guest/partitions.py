"""What the partition table of a disk says. Only the disk's own table counts: what looks like one
inside a partition is that partition's content."""

from __future__ import annotations

from diskwright.guest import gpt, mbr
from diskwright.guest.grub_core import has_core
from diskwright.guest.source import ByteSource
from diskwright.model.image import Problem
from diskwright.model.partitions import Partition, PartitionRole, PartitionTable, TableKind
from diskwright.model.units import SECTOR


def read_table(source: ByteSource) -> PartitionTable:
    """A table that lies is read as far as it can be; its `problems` say where not.

    A GPT counts where a protective MBR announces it, as for Linux, or where there is no MBR.
    Raises `Unreadable` only where the first sector can't be read.
    """
    if source.size < SECTOR:
        return PartitionTable(TableKind.NONE, SECTOR, (), boot_code=False, bios_core=None)
    sector = source.read(0, SECTOR)
    record = mbr.parse(sector)
    kind, sector_size = TableKind.NONE, SECTOR
    partitions: list[Partition] = []
    problems: list[Problem] = []
    if record is None or record.protective:
        reading = gpt.read(source, announced=record is not None)
        if reading.found:
            kind, sector_size = TableKind.GPT, reading.sector_size
            partitions, problems = reading.partitions, reading.problems
            if record is None:
                detail = "there is a GPT, and no protective MBR announces it"
                problems.append(Problem("header-inconsistent", detail))
    else:
        kind = TableKind.MBR
        partitions, problems = mbr.read(source, record)
        problems += _past_end(partitions, source.size)
    problems += _overlaps(partitions)
    homes = [p.start // SECTOR for p in partitions if p.role is PartitionRole.BIOS_BOOT]
    usual = tuple(homes) if kind is TableKind.GPT else (1,)
    return PartitionTable(
        kind=kind,
        sector_size=sector_size,
        partitions=tuple(partitions),
        boot_code=any(sector[:440]),
        bios_core=has_core(source, sector, usual),
        problems=tuple(problems),
    )


def _past_end(partitions: list[Partition], size: int) -> list[Problem]:
    return [
        Problem(
            "partition-past-end", f"partition {p.number} ends at {p.start + p.length} of {size}"
        )
        for p in partitions
        if p.start + p.length > size
    ]


def _overlaps(partitions: list[Partition]) -> list[Problem]:
    """Logical partitions lie inside the extended one, and are compared without it."""
    extended = next((p for p in partitions if p.role is PartitionRole.EXTENDED), None)
    plain = [p for p in partitions if p is not extended]
    problems = _neighbours(plain)
    if extended:
        problems += _neighbours([extended, *(p for p in plain if p.number < 5)])
        problems += [
            Problem("partition-overlap", f"partition {p.number} is not inside the extended one")
            for p in plain
            if p.number >= 5 and not _inside(p, extended)
        ]
    return problems


def _neighbours(partitions: list[Partition]) -> list[Problem]:
    problems: list[Problem] = []
    reach: Partition | None = None  # the one that reaches furthest so far
    for p in sorted(partitions, key=lambda p: p.start):
        if reach and p.start < reach.start + reach.length:
            detail = f"partitions {reach.number} and {p.number} overlap"
            problems.append(Problem("partition-overlap", detail))
        if reach is None or p.start + p.length > reach.start + reach.length:
            reach = p
    return problems


def _inside(inner: Partition, outer: Partition) -> bool:
    return outer.start <= inner.start and (inner.start + inner.length <= outer.start + outer.length)
