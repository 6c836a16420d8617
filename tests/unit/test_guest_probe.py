"""What a partition holds is named as blkid names it; what can't be read says why."""

from __future__ import annotations

import struct
import uuid

import pytest

from diskwright.guest.probe import probe
from diskwright.model.guest import FileSystem
from support.guest_disks import source_of

ID = uuid.UUID("5d1c0de0-0001-4a11-9000-0000000000a1")
SIZE = 1 << 20


def at(*pieces: tuple[int, bytes]) -> bytes:
    data = bytearray(SIZE)
    for offset, piece in pieces:
        data[offset : offset + len(piece)] = piece
    return bytes(data)


DISKS = {
    "btrfs": at(
        (65536 + 32, ID.bytes),
        (65536 + 64, b"_BHRfS_M"),
        (65536 + 96, b"\1"),
        (65536 + 112, struct.pack("<QQ", 900, 400)),
        (65536 + 299, b"root"),
    ),
    "swap": at((4086, b"SWAPSPACE2"), (1024, struct.pack("<III", 1, 99, 0) + ID.bytes + b"root")),
    "crypto_LUKS": at((0, b"LUKS\xba\xbe\0\2"), (24, b"root"), (168, str(ID).encode())),
    "linux_raid_member": at((4096, b"\xfc\x4e\x2b\xa9\1\0\0\0"), (4096 + 16, ID.bytes)),
    "LVM2_member": at(
        (
            512,
            b"LABELONE"
            + bytes(12)
            + struct.pack("<I", 32)
            + b"LVM2 001"
            + b"0123456789ABCDEFabcdef0123456789",
        )
    ),
    "ntfs": at(
        (0, b"\xeb\x52\x90NTFS    \0\2"),
        (40, struct.pack("<Q", 2000)),
        (72, struct.pack("<Q", 0xAB)),
        (510, b"\x55\xaa"),
    ),
    "exfat": at(
        (0, b"\xeb\x76\x90EXFAT   "),
        (72, struct.pack("<Q", 2048)),
        (100, struct.pack("<IHH", 0xABCD1234, 0, 2)),
        (108, b"\x09"),
    ),
    "BitLocker": at((0, b"\xeb\x58\x90-FVE-FS-\0\2\x08\x20\0\2"), (510, b"\x55\xaa")),
    "storage_spaces": at((0, b"SPACEDB \0\3\2\0")),
    "squashfs": at((0, b"hsqs")),
    "iso9660": at((32768, b"\1CD001\1\0" + b" " * 32 + b"root".ljust(32))),
}
WANTED: dict[str, tuple[str | None, str | None, int | None, int | None, bool | None]] = {
    "btrfs": (str(ID), "root", 900, 500, True),
    "swap": (str(ID), "root", 409600, None, None),
    "crypto_LUKS": (str(ID), "root", None, None, None),
    "linux_raid_member": (str(ID), None, None, None, None),
    "LVM2_member": ("012345-6789-ABCD-EFab-cdef-0123-456789", None, None, None, None),
    "ntfs": ("00000000000000AB", None, 1024000, None, None),
    "exfat": ("ABCD-1234", None, SIZE, None, True),
    "BitLocker": (None, None, None, None, None),
    "storage_spaces": (None, None, None, None, None),
    "squashfs": (None, None, None, None, None),
    "iso9660": (None, "root", None, None, None),
}
NOTES = {
    "btrfs": "btrfs: superblock bytenr mismatch",
    "ntfs": "NTFS: invalid boot sector",
    "swap": "",
    "crypto_LUKS": "encrypted by LUKS2",
    "BitLocker": "encrypted by BitLocker",
}


def facts(data: bytes) -> FileSystem:
    found = probe(source_of(data), 3)
    assert found is not None
    assert found.facts.read is (found.reader is not None)
    return found.facts


@pytest.mark.parametrize("kind", DISKS)
def test_what_is_not_read_is_named_with_what_its_superblock_says(kind: str) -> None:
    found = facts(DISKS[kind])
    assert (found.type, found.partition, found.read) == (kind, 3, False)
    assert (found.uuid, found.label, found.size, found.free, found.dirty) == WANTED[kind]
    assert found.note == NOTES.get(kind, f"{kind} is not read yet")


@pytest.mark.parametrize("kind", DISKS)
def test_a_cut_off_superblock_is_survived(kind: str) -> None:
    for length in (0, 1, 511, 512, 513, 1024, 2048, 4096, 32768 + 10, 65536 + 100):
        found = probe(source_of(DISKS[kind][:length]), None)
        assert found is None or (found.facts.type, found.reader) == (kind, None)


def test_what_looks_like_a_fat_and_is_bitlocker_is_not_read_as_a_fat() -> None:
    fat = (0, b"\xeb\x58\x90MSWIN4.1\0\2\x08\x20\0\2"), (21, b"\xf8"), (510, b"\x55\xaa")
    guid = bytes.fromhex("3bd66749292ed84a8399f6a339e3d001")
    found = facts(at(*fat, (424, guid)))
    assert (found.type, found.note) == ("BitLocker", "encrypted by BitLocker To Go")
    plain = probe(source_of(at(*fat)), 3)
    assert plain is None or plain.facts.type != "BitLocker"


def test_swap_of_the_first_version_is_swap() -> None:
    found = facts(at((4086, b"SWAP-SPACE")))
    assert (found.type, found.note, found.uuid) == ("swap", "", None)


def test_nothing_known_is_nothing() -> None:
    assert probe(source_of(bytes(SIZE)), 1) is None


def test_an_ext_that_is_refused_keeps_its_uuid_for_fstab() -> None:
    found = facts(
        at((1024 + 56, b"\x53\xef"), (1024 + 99, b"\x40"), (1024 + 104, ID.bytes + b"root"))
    )
    assert (found.type, found.read, found.uuid, found.label) == ("ext", False, str(ID), "root")
    assert "0x40000000" in found.note


def test_an_xfs_that_is_refused_keeps_its_uuid_for_fstab() -> None:
    found = facts(at((0, b"XFSB"), (32, ID.bytes), (100, b"\0\x06"), (108, b"root")))
    assert (found.type, found.read, found.uuid, found.label) == ("xfs", False, str(ID), "root")
    assert found.note == "xfs version 6"


def test_what_was_there_before_a_container_is_not_what_is_there() -> None:
    stale = at((1024 + 56, b"\x53\xef"), (4096, DISKS["linux_raid_member"][4096:8192]))
    assert facts(stale).type == "linux_raid_member"


def test_what_was_there_before_an_ext_is_not_what_is_there() -> None:
    for kind, place in (("swap", slice(4086, 4096)), ("btrfs", slice(65536, 70000))):
        stale = at((1024 + 56, b"\x53\xef"), (place.start, DISKS[kind][place]))
        assert facts(stale).type == "ext"


def test_sizes_that_no_manifest_can_hold_are_a_problem_and_no_numbers() -> None:
    data = bytearray(DISKS["btrfs"])
    data[65536 + 112 : 65536 + 120] = struct.pack("<Q", 1 << 60)
    found = facts(bytes(data))
    assert (found.size, found.free) == (None, None)
    assert [p.code for p in found.problems] == ["header-inconsistent"]
    data[65536 + 120 : 65536 + 128] = struct.pack("<Q", (1 << 60) - 5)
    assert facts(bytes(data)).free == 5
