"""Partition tables: read as Linux reads them, and every lie named."""

from __future__ import annotations

import struct
import zlib

import pytest

from diskwright.guest.partitions import read_table
from diskwright.model import canonical
from diskwright.model.codec import encode
from diskwright.model.partitions import PartitionRole, PartitionTable, TableKind
from support.guest_disks import gpt, mbr, source_of

BIOS_BOOT = bytes.fromhex("4861682149646f6e744e656564454649")


def read(disk: bytes | bytearray, size: int | None = None) -> PartitionTable:
    return read_table(source_of(bytes(disk), size))


def codes(table: PartitionTable) -> list[str]:
    return [problem.code for problem in table.problems]


def places(table: PartitionTable) -> list[tuple[int, int, int]]:
    return [(p.number, p.start // 512, p.length // 512) for p in table.partitions]


def test_primary_partitions_keep_their_slot_as_number() -> None:
    table = read(mbr((0, 0, 0, 0), (0x80, 0x83, 64, 100), (0, 0x82, 200, 50)), 1 << 20)
    assert (table.kind, codes(table)) == (TableKind.MBR, [])
    assert places(table) == [(2, 64, 100), (3, 200, 50)]
    first, second = table.partitions
    assert (first.active, first.role, first.type_id) == (True, PartitionRole.LINUX, "83")
    assert (second.active, second.role) == (False, PartitionRole.SWAP)
    assert first.partuuid == "1234abcd-02"


def logical(*links: tuple[int, bytes]) -> bytes:
    disk = bytearray(4096 * 512)
    disk[:512] = mbr((0, 0x83, 10, 50), (0, 5, 100, 3000))
    for at, sector in links:
        disk[at * 512 : at * 512 + 512] = sector
    return bytes(disk)


def test_logical_partitions_are_counted_from_their_own_table() -> None:
    table = read(
        logical(
            (100, mbr((0, 0x83, 1, 10), (0, 5, 500, 100))),
            (600, mbr((0, 0x8E, 2, 20))),
        )
    )
    assert codes(table) == []
    assert places(table) == [(1, 10, 50), (2, 100, 3000), (5, 101, 10), (6, 602, 20)]
    assert table.partitions[3].role is PartitionRole.LVM


@pytest.mark.parametrize("onward", [0, 500])
def test_a_chain_that_leads_back_ends_and_is_named(onward: int) -> None:
    table = read(
        logical(
            (100, mbr((0, 0x83, 1, 10), (0, 5, onward, 1000))),
            (600, mbr((0, 0x83, 1, 10), (0, 5, 500, 1000))),
        )
    )
    assert codes(table) == ["partition-loop"]


def test_a_chain_without_end_is_cut() -> None:
    links = [(i, mbr((0, 5, i + 1 - 100, 9))) for i in range(100, 400)]
    assert codes(read(logical(*links))) == ["table-too-large"]


def test_a_chain_into_nothing_is_named() -> None:
    assert codes(read(logical((100, mbr((0, 5, 2000, 9)))))) == ["header-inconsistent"]
    assert codes(read(logical((100, mbr((0, 5, 90000, 9)))))) == ["header-inconsistent"]


def test_overlaps_are_named_but_not_of_logical_in_extended() -> None:
    assert (
        codes(read(mbr((0, 0x83, 1, 99), (0, 0x83, 50, 9), (0, 0x83, 70, 9)), 1 << 20))
        == ["partition-overlap"] * 2
    )
    outside = logical((100, mbr((0, 0x83, 1, 10), (0, 5, 3000, 100))), (3100, mbr((0, 0x83, 1, 9))))
    assert codes(read(outside)) == ["partition-overlap"]


def test_a_partition_past_the_end_is_named_and_kept() -> None:
    table = read(mbr((0x80, 0x83, 10, 1 << 30)), 1 << 20)
    assert codes(table) == ["partition-past-end"]
    assert len(table.partitions) == 1


@pytest.mark.parametrize(
    "sector",
    [
        bytes(512),
        mbr((0x12, 0x83, 1, 1)),
        b"\xeb\x58\x90mkfs.fat\x00\x02\x01\x20\x00\x02\x00\x00\x00\x00\xf8".ljust(510, b"\0")
        + b"\x55\xaa",
        b"\xeb\x52\x90NTFS    ".ljust(510, b"\0") + b"\x55\xaa",
    ],
)
def test_a_sector_that_holds_no_table_has_none(sector: bytes) -> None:
    assert read(sector, 1 << 20).kind is TableKind.NONE


def test_a_table_inside_a_partition_is_content() -> None:
    disk = bytearray(1 << 20)
    disk[:512] = mbr((0x80, 0x83, 64, 1000))
    disk[64 * 512 : 65 * 512] = mbr((0, 0x83, 1, 5), (0, 5, 1, 5))
    assert places(read(disk)) == [(1, 64, 1000)]


@pytest.mark.parametrize("sector_size", [512, 4096])
def test_a_gpt_is_read_in_its_sectors(sector_size: int) -> None:
    table = read(gpt((34, 1000), (1001, 2000), sector_size=sector_size))
    assert (table.kind, table.sector_size, codes(table)) == (TableKind.GPT, sector_size, [])
    first, second = table.partitions
    assert (first.start, first.length) == (34 * sector_size, 967 * sector_size)
    assert (second.label, second.number) == ("p1", 2)
    assert first.partuuid == "01010101-0101-0101-0101-010101010101"
    assert first.type_id == "0fc63daf-8483-4772-8e79-3d69d8477de4"


def test_a_hybrid_table_is_a_gpt() -> None:
    disk = gpt((34, 1000))
    disk[:512] = mbr((0, 0xEE, 1, 33), (0x80, 0x83, 34, 967))
    assert read(disk).kind is TableKind.GPT


def test_a_stale_gpt_behind_a_plain_mbr_does_not_count() -> None:
    disk = gpt((34, 1000))
    disk[:512] = mbr((0x80, 0x83, 64, 900))
    table = read(disk)
    assert (table.kind, places(table)) == (TableKind.MBR, [(1, 64, 900)])


def test_a_missing_backup_is_named() -> None:
    assert codes(read(gpt((34, 1000), backup=False))) == ["gpt-backup-missing"]


@pytest.mark.parametrize("place", [512 + 24, 512 + 16, 2 * 512 + 40])
def test_a_damaged_primary_gives_way_to_the_backup(place: int) -> None:
    disk = gpt((34, 1000))
    disk[place] ^= 1
    table = read(disk)
    assert codes(table) == ["header-inconsistent"]
    assert places(table) == [(1, 34, 967)]


@pytest.mark.parametrize("place", [4095 * 512 + 24, (4095 - 32) * 512 + 40])
def test_a_damaged_backup_counts_as_missing(place: int) -> None:
    disk = gpt((34, 1000))
    disk[place] ^= 1
    assert codes(read(disk)) == ["gpt-backup-missing"]


def test_a_primary_that_is_gone_is_found_by_its_backup() -> None:
    table = read(gpt((34, 1000), primary=False))
    assert (codes(table), places(table)) == (["header-inconsistent"], [(1, 34, 967)])


def test_two_copies_that_differ_are_named() -> None:
    disk = gpt((34, 1000))
    disk[4000 * 512 :] = gpt((34, 1001))[4000 * 512 :]
    assert codes(read(disk)) == ["header-inconsistent"]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"count": 0xFFFFFFFF}, "table-too-large"),
        ({"count": 1025}, "table-too-large"),
        ({"entry_size": 0}, "header-inconsistent"),
        ({"entry_size": 127}, "header-inconsistent"),
        ({"entry_size": 1 << 20}, "header-inconsistent"),
    ],
)
def test_a_header_that_lies_is_named(options: dict[str, int], code: str) -> None:
    table = read(gpt((34, 1000), **options))  # type: ignore[arg-type]
    assert (table.kind, codes(table), table.partitions) == (TableKind.GPT, [code], ())


@pytest.mark.parametrize(
    ("entries", "code"),
    [
        ([(34, 1000), (500, 1500)], "partition-overlap"),
        ([(34, 1 << 60)], "partition-past-end"),
        ([(1000, 34)], "header-inconsistent"),
        ([(1, 100)], "header-inconsistent"),
        ([(34, 4090)], "header-inconsistent"),
    ],
)
def test_entries_that_lie_are_named(entries: list[tuple[int, int]], code: str) -> None:
    assert codes(read(gpt(*entries))) == [code]


@pytest.mark.parametrize("entry", [(34, 1 << 50), (1 << 62, 1 << 62), (1 << 62, 34)])
def test_an_entry_whose_numbers_no_manifest_can_hold_is_only_a_problem(
    entry: tuple[int, int],
) -> None:
    table = read(gpt(entry, (1001, 2000)))
    assert codes(table) == ["partition-past-end"]
    assert [p.number for p in table.partitions] == [2]
    canonical.encode(encode(table))


def test_a_gpt_that_is_only_announced_is_damage() -> None:
    table = read(mbr((0, 0xEE, 1, 4095)), 1 << 20)
    assert (table.kind, codes(table)) == (TableKind.GPT, ["header-inconsistent"])


def boot_image(core: int) -> bytes:
    return struct.pack("<92xQ", core) + b"GRUB \0Geom\0Hard Disk\0Read\0 Error"


def core_image(first: int) -> bytes:
    return b"loading".ljust(500, b"\0") + struct.pack("<QHH", first, 100, 0x820) + b"second stage"


def test_grubs_core_is_looked_for_where_its_first_stage_points() -> None:
    disk = bytearray(1 << 20)
    disk[:512] = mbr((0x80, 0x83, 64, 1000), code=boot_image(1))
    assert (read(disk).boot_code, read(disk).bios_core) == (True, False)
    disk[512 : 512 + 600] = core_image(2).ljust(600, b"\0")
    assert read(disk).bios_core is True
    disk[1024:1536] = bytes(512)
    assert read(disk).bios_core is False


def test_without_boot_code_the_usual_places_are_looked_at() -> None:
    disk = gpt((34, 1000), kind=BIOS_BOOT)
    assert (read(disk).boot_code, read(disk).bios_core) == (False, False)
    disk[34 * 512 : 34 * 512 + 600] = core_image(35).ljust(600, b"\0")
    assert read(disk).bios_core is True


def test_of_another_loader_nothing_is_claimed() -> None:
    table = read(mbr((0x80, 0x83, 64, 1000), code=b"some other loader"), 1 << 20)
    assert (table.boot_code, table.bios_core) == (True, None)


def test_a_core_beyond_the_disk_is_not_there() -> None:
    table = read(mbr((0x80, 0x83, 64, 1000), code=boot_image(1 << 62)), 1 << 20)
    assert table.bios_core is False


def test_any_checksummed_header_of_noise_is_survived() -> None:
    import random

    noise = random.Random(3)
    for _ in range(200):
        disk = gpt((34, 1000))
        header = bytearray(disk[512 : 512 + 92])
        for _ in range(noise.randrange(1, 6)):
            header[noise.randrange(92)] = noise.randrange(256)
        header[16:20] = struct.pack("<I", zlib.crc32(header[:16] + bytes(4) + header[20:]))
        disk[512 : 512 + 92] = header
        table = read(disk)
        assert all(p.start >= 0 and p.length > 0 and p.number > 0 for p in table.partitions)
        # what it says is known to lie on the disk, or the table is known to lie
        inside = all(p.start + p.length <= len(disk) for p in table.partitions)
        assert inside or codes(table)
