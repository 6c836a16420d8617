"""Whatever is done to the metadata of a VHD, VHDX or VDI file, it is read or refused."""

from __future__ import annotations

import os
import random
import struct
from functools import cache
from unittest import mock

import pytest

from diskwright.errors import ImageRefused
from diskwright.formats import vdi, vhd, vhdx
from diskwright.formats.block_places import BlockPlaces
from diskwright.formats.source import ImageSource
from diskwright.model.image import ImageFacts
from support.hostile import vdi as vdi_builder
from support.hostile import vhdx as vhdx_builder
from support.hostile.vhd import vhd_dynamic, vhd_footer
from support.image_bytes import Reader, facts_of, patched, vhd_summed, vhdx_summed

K = 1024
MIB = 1 << 20
MUTANTS = 400


@cache
def base(name: str) -> bytes:
    if name == "vhd fixed":
        return bytes(64 * K) + vhd_footer(64 * K)
    if name == "vhd dynamic":
        return vhd_dynamic(bat=[4, 0xFFFFFFFF])
    if name == "vhd differencing":
        return vhd_dynamic(kind=4, parent="a.vhd", locators=[(b"W2ku", b"a\0b\0", 2048)])
    if name == "vhdx":
        return patched(vhdx_builder.vhdx(), 3 * MIB, "<4Q", 0, 2, 3, 1)[: 3 * MIB + 4 * K]
    return vdi_builder.vdi(bmap=(1, 0, 0xFFFFFFFE, 0xFFFFFFFF))[:K]


# So much longer the file is, by a hole.
HOLES = {"vhdx": MIB - 4 * K, "vdi": 2 * MIB}
# The reader, and where the metadata stands.
PLACES: dict[str, tuple[Reader, list[tuple[int, int]]]] = {
    "vhd fixed": (vhd.read_facts, [(64 * K, 64 * K + 90)]),
    "vhd dynamic": (vhd.read_facts, [(0, 90), (512, 760), (1536, 1600)]),
    "vhd differencing": (vhd.read_facts, [(0, 90), (512, 1200), (2048, 2060)]),
    "vhdx": (
        vhdx.read_facts,
        [
            (0, 30),
            (64 * K, 64 * K + 80),
            (128 * K, 128 * K + 80),
            (192 * K, 192 * K + 80),
            (2 * MIB, 2 * MIB + 200),
            (2 * MIB + 64 * K, 2 * MIB + 64 * K + 48),
            (3 * MIB, 3 * MIB + 64),
        ],
    ),
    "vdi": (vdi.read_facts, [(64, 80), (338, 472), (512, 528)]),
}


def sums(name: str, content: bytes) -> bytes:
    """Every checksum put right, so that what lies behind it is reached."""
    if name == "vhdx":
        for at, length in ((64 * K, 4 * K), (128 * K, 4 * K), (192 * K, 64 * K)):
            content = vhdx_summed(content, at, length)
        return content[: 256 * K] + content[192 * K : 256 * K] + content[320 * K :]
    if name == "vhd fixed":
        return vhd_summed(content, 64 * K, 512, 64)
    if name.startswith("vhd"):
        content = vhd_summed(vhd_summed(content, 0, 512, 64), 512, K, 36)
        return content[:-512] + content[:512]
    return content


def mutant(name: str, chance: random.Random) -> bytes:
    content = bytearray(base(name))
    for _ in range(chance.choice((1, 1, 2, 4))):
        place = chance.randrange(*chance.choice(PLACES[name][1]))
        if chance.random() < 0.5:
            content[place] = chance.choice((0, 1, 2, 6, 0x7F, 0x80, 0xFF, chance.randrange(256)))
        else:
            word = chance.choice((0, 1, 2, 4, 512, K, MIB, 3 * MIB, (1 << 32) - 1, 1 << 31))
            order = chance.choice("<>")
            struct.pack_into(f"{order}I", content, place & ~3, word)
    made = bytes(content)
    if chance.random() < 0.8:
        made = sums(name, made)
    return made[: chance.randrange(len(made))] if chance.random() < 0.1 else made


def read_or_refuse(reader: Reader, content: bytes, size: int) -> ImageFacts | ImageRefused:
    """Nothing else may be raised, and little more is read than the file has."""
    read = 0
    pread = os.pread

    def counting(fd: int, length: int, offset: int) -> bytes:
        nonlocal read
        data = pread(fd, length, offset)
        read += len(data)
        return data

    try:
        with mock.patch("diskwright.formats.source.os.pread", counting):
            return facts_of(reader, content, size=size)
    except ImageRefused as refused:
        return refused
    finally:
        assert read <= 2 * size + 64 * K


@pytest.mark.parametrize("name", PLACES)
def test_a_mutant_ends_in_facts_or_in_a_refusal(name: str) -> None:
    chance = random.Random(f"diskwright {name}")
    count = MUTANTS // 6 if name == "vhdx" else MUTANTS  # its checksums take time
    codes: dict[str, int] = {}
    for _ in range(count):
        content = mutant(name, chance)
        cut = len(content) < len(base(name))
        size = len(content) if cut else len(content) + HOLES.get(name, 0)
        end = read_or_refuse(PLACES[name][0], content, size)
        code = end.code if isinstance(end, ImageRefused) else "read"
        codes[code] = codes.get(code, 0) + 1
        if isinstance(end, ImageFacts):
            assert 0 < end.virtual_size <= 1 << 50
            assert end.virtual_size % 512 == 0
    assert len(codes) >= 3, codes
    assert ("read" in codes) is (name != "vhd differencing"), codes


@pytest.mark.parametrize("length", [1, 2, 3, 7])
def test_blocks_overlap_where_two_of_them_do(length: int) -> None:
    """Against every pair compared."""
    chance = random.Random(length)
    found = {True: 0, False: 0}
    for _ in range(500):
        slots = chance.randrange(1, 30)
        starts = [chance.randrange(1, slots * length + 1) for _ in range(chance.randrange(1, 6))]
        places = BlockPlaces(ImageSource(-1, "disk", 512 * 32 * length), unit=512, length=length)
        got = places.add(starts) is not None or places.overlap() is not None
        expected = any(
            abs(one - other) < length
            for index, one in enumerate(starts)
            for other in starts[:index]
        )
        assert got is expected, starts
        found[expected] += 1
        if not expected:
            offset, size = chance.randrange(20 * 512 * length), chance.randrange(1, 3000)
            touched = any(
                start * 512 < offset + size and (start + length) * 512 > offset for start in starts
            )
            assert places.touch(offset, size) is touched
    assert min(found.values()) > 50, found
