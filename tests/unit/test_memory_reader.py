"""The disk in memory is what its picture says."""

from __future__ import annotations

import pytest

from diskwright.blockio.memory import MemoryReader
from diskwright.model.extent import Extent, ExtentKind
from support.disks import contents

UNIT = 4


def picture_of(reader: MemoryReader, start: int = 0, length: int | None = None) -> str:
    marks = {ExtentKind.DATA: "#", ExtentKind.ZERO: "0", ExtentKind.HOLE: "-"}
    extents = reader.extents(start, reader.size - start if length is None else length)
    return "".join(marks[e.kind] * e.length for e in extents)


def test_a_picture_gives_bytes_and_extents() -> None:
    reader = MemoryReader.of_picture("A0C-", unit=UNIT)
    assert contents(reader) == b"AAAA\0\0\0\0CCCC\0\0\0\0"
    assert picture_of(reader) == "####0000####----"


def test_the_last_unit_may_be_cut() -> None:
    reader = MemoryReader.of_picture("A-B", unit=UNIT, size=9)
    assert contents(reader) == b"AAAA\0\0\0\0B"


@pytest.mark.parametrize("size", [8, 13])
def test_a_size_that_does_not_end_in_the_last_unit_is_refused(size: int) -> None:
    with pytest.raises(ValueError):
        MemoryReader.of_picture("A-B", unit=UNIT, size=size)


def test_noise_is_always_the_same_and_zero_data_is_data() -> None:
    first, second = (MemoryReader.of_picture("?.", unit=UNIT) for _ in range(2))
    assert contents(first) == contents(second) != bytes(2 * UNIT)
    assert contents(first)[UNIT:] == bytes(UNIT)
    assert picture_of(first) == "########"


@pytest.mark.parametrize("start", range(17))
def test_any_range_has_gapless_extents_and_its_bytes(start: int) -> None:
    reader = MemoryReader.of_picture("A0C-", unit=UNIT)
    whole, disk = contents(reader), picture_of(reader)
    for end in range(start, 17):
        assert picture_of(reader, start, end - start) == disk[start:end]
        buffer = bytearray(b"x" * (end - start))
        reader.read_into(start, memoryview(buffer))
        assert buffer == whole[start:end]


def test_a_disk_of_64_tib_costs_only_its_pieces() -> None:
    size = 64 << 40
    reader = MemoryReader(size, {size - 4: b"tail"})
    assert list(reader.extents(0, size)) == [
        Extent(0, size - 4, ExtentKind.HOLE),
        Extent(size - 4, 4, ExtentKind.DATA),
    ]


@pytest.mark.parametrize("pieces", [{0: b"abc", 2: b"d"}, {6: b"abc"}, {1: b""}, {-1: b"abc"}])
def test_pieces_that_overlap_or_leave_the_disk_are_refused(pieces: dict[int, bytes]) -> None:
    with pytest.raises(ValueError):
        MemoryReader(8, pieces)


def test_reads_past_the_end_are_refused() -> None:
    with pytest.raises(ValueError):
        MemoryReader.of_bytes(b"abcd").read_into(2, memoryview(bytearray(3)))


def test_it_fails_at_the_read_it_was_told_and_ever_after() -> None:
    reader = MemoryReader.of_picture("AB", unit=UNIT, fail_at=2, error=ZeroDivisionError())
    contents(reader)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            contents(reader)
    assert reader.reads == 3
