"""Whole disks: a table, boot code, and what is on each partition."""

from __future__ import annotations

import struct
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from support import guest_disks
from support.fuzzing.guests.sums import FIX, gpt_headers
from support.lvm_maker import EXTENT, FIRST_EXTENT, PV_IDS, group, pv, segment, volume

SECTOR = 512
_KINDS = {
    "esp": "c12a7328-f81f-11d2-ba4b-00a0c93ec93b",
    "bios": "21686148-6449-6e6f-744e-656564454649",
    "linux": "0fc63daf-8483-4772-8e79-3d69d8477de4",
    "lvm": "e6d6d379-f507-44c2-a23c-238f2a3df928",
}
_CODES = {"esp": 0xEF, "linux": 0x83, "lvm": 0x8E, "ntfs": 0x07}
_CORE = 4 * SECTOR  # room for GRUB's second stage


@dataclass(frozen=True)
class Disk:
    """`parts`: where each partition begins and ends, in bytes."""

    data: bytearray
    parts: tuple[tuple[int, int], ...]


def _code(core: int) -> bytes:
    """GRUB's first stage, which names the sector of the second."""
    code = bytearray(b"\xeb\x63\x90".ljust(440, b"\x90"))
    struct.pack_into("<Q", code, 0x5C, core)
    code[0x180:0x184] = b"GRUB"
    return bytes(code)


def _core(at: int) -> bytes:
    """The second stage, for sector `at`."""
    stage = b"\x52\xe8" * 250 + struct.pack("<QHH", at + 1, 1, 0x820)
    return stage.ljust(SECTOR, b"\0") + b"core" * 128


def mbr(*parts: tuple[str, bytes]) -> Disk:
    """Primary partitions, behind each other."""
    entries, places, end = [], [], 64
    for kind, content in parts:
        sectors = -(-len(content) // SECTOR)
        entries.append((0x80 if not entries else 0, _CODES[kind], end, sectors))
        places.append((end * SECTOR, end * SECTOR + len(content)))
        end += sectors
    data = bytearray((end + 1) * SECTOR)
    data[:SECTOR] = guest_disks.mbr(*entries, code=_code(1))
    data[SECTOR : 3 * SECTOR] = _core(1)
    _put(data, places, parts)
    return Disk(data, tuple(places))


def logical(*parts: tuple[str, bytes]) -> Disk:
    """All in an extended partition, each behind a record of its own."""
    first, places, records = 64, [], []
    at = first
    for _, content in parts:
        records.append(at)
        places.append(((at + 8) * SECTOR, (at + 8) * SECTOR + len(content)))
        at += 8 + -(-len(content) // SECTOR)
    data = bytearray((at + 1) * SECTOR)
    data[:SECTOR] = guest_disks.mbr((0x80, 5, first, at - first), code=_code(1))
    data[SECTOR : 3 * SECTOR] = _core(1)
    for number, (kind, content) in enumerate(parts):
        entries = [(0, _CODES[kind], 8, -(-len(content) // SECTOR))]
        if number + 1 < len(parts):
            follower = records[number + 1]
            entries.append((0, 5, follower - first, 8 + len(parts[number + 1][1]) // SECTOR))
        here = records[number] * SECTOR
        data[here : here + SECTOR] = guest_disks.mbr(*entries)
    _put(data, places, parts)
    return Disk(data, tuple(places))


def gpt(*parts: tuple[str, bytes], sector: int = SECTOR) -> Disk:
    """A partition of GRUB's is the first; what else there is follows."""
    whole = [("bios", bytes(max(_CORE, sector))), *parts]
    at, entries, places = 34 if sector == SECTOR else 6, [], []
    for _, content in whole:
        count = -(-len(content) // sector)
        entries.append((at, at + count - 1))
        places.append((at * sector, at * sector + len(content)))
        at += count
    data = guest_disks.gpt(*entries, sectors=at + 35, sector_size=sector)
    for header in gpt_headers(data, sector):
        (table,) = struct.unpack_from("<Q", data, header.start + 72)
        for number, (kind, _) in enumerate(whole):
            here = table * sector + 128 * number
            data[here : here + 16] = uuid.UUID(_KINDS[kind]).bytes_le
        FIX["gpt"](data, header)
    core = places[0][0] // SECTOR
    data[:440] = _code(core)
    _put(data, places, whole)
    data[core * SECTOR : core * SECTOR + 2 * SECTOR] = _core(core)
    return Disk(data, tuple(places[1:]))


def _put(
    data: bytearray, places: Sequence[tuple[int, int]], parts: Sequence[tuple[str, bytes]]
) -> None:
    for (start, end), (_, content) in zip(places, parts, strict=True):
        data[start:end] = content


def linear(content: bytes) -> bytes:
    """A physical volume with `content` in a volume of two segments, the second one first."""
    count = len(content) // EXTENT
    half = count // 2
    text = group(
        volume(
            "root",
            segment(0, half, (PV_IDS_NAMES[0], count - half)),
            segment(half, count - half, (PV_IDS_NAMES[0], 0)),
        ),
        extents=count + 1,
    )
    data = pv(text, extents=count + 1)
    split = FIRST_EXTENT + (count - half) * EXTENT
    data[split : split + half * EXTENT] = content[: half * EXTENT]
    data[FIRST_EXTENT : FIRST_EXTENT + len(content) - half * EXTENT] = content[half * EXTENT :]
    return bytes(data)


def striped(content: bytes) -> tuple[bytes, bytes]:
    """Two physical volumes with `content` in stripes of 16 KiB."""
    count, stripe = len(content) // EXTENT, 32 * SECTOR
    places = tuple((name, 0) for name in PV_IDS_NAMES)
    text = group(
        volume("root", segment(0, count, *places, size=stripe // SECTOR)),
        pvs=PV_IDS,
        extents=count // 2,
    )
    made = []
    for number, own in enumerate(PV_IDS):
        data = pv(text, uuid=own, extents=count // 2)
        pieces = range(number * stripe, len(content), 2 * stripe)
        data[FIRST_EXTENT:] = b"".join(content[at : at + stripe] for at in pieces)
        made.append(bytes(data))
    return made[0], made[1]


PV_IDS_NAMES = ("pv0", "pv1")
