"""Readers around a reader add one thing each and pass the rest on."""

from __future__ import annotations

import pytest

from diskwright.blockio.digest import DigestIncomplete, digest_reader
from diskwright.blockio.memory import MemoryReader
from diskwright.blockio.view import (
    CancelView,
    DigestView,
    LongerView,
    ProgressView,
    StoredView,
)
from diskwright.errors import Cancelled
from diskwright.model.extent import Extent
from diskwright.ports import BlockReader
from support.disks import contents

MIB = 1 << 20


class Counted:
    def __init__(self) -> None:
        self.total = 0

    def phase(self, name: str, total: int) -> None:
        raise AssertionError("a view names no phase")

    def advance(self, count: int) -> None:
        self.total += count


class CancelledAfter:
    def __init__(self, checks: int) -> None:
        self.left = checks

    def check(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Cancelled


def disk(**options: int) -> MemoryReader:
    return MemoryReader.of_picture("A-B0C", unit=MIB, size=4 * MIB + 512, **options)


@pytest.mark.parametrize(
    "view",
    [
        DigestView(disk()),
        ProgressView(disk(), Counted()),
        CancelView(disk(), CancelledAfter(9)),
    ],
    ids=lambda view: type(view).__name__,
)
def test_a_view_is_the_same_disk(view: BlockReader) -> None:
    inner = disk()
    assert (view.size, view.parallel) == (inner.size, inner.parallel)
    assert list(view.extents(0, view.size)) == list(inner.extents(0, inner.size))
    assert contents(view) == contents(inner)


def test_closing_a_view_closes_the_reader() -> None:
    inner = disk()
    ProgressView(DigestView(inner), Counted()).close()
    assert inner.closed


def test_what_was_read_through_a_digest_view_is_hashed() -> None:
    view = DigestView(disk())
    for offset, length in [(4 * MIB, 512), (0, MIB), (2 * MIB, 2 * MIB)]:
        view.read_into(offset, memoryview(bytearray(length)))
    assert view.hexdigest() == digest_reader(disk(), threads=1)


def test_a_digest_view_knows_what_was_not_read() -> None:
    view = DigestView(disk())
    view.read_into(0, memoryview(bytearray(2 * MIB)))
    with pytest.raises(DigestIncomplete, match="block 2 "):
        view.hexdigest()


def test_a_digest_view_hashes_no_failed_read() -> None:
    view = DigestView(disk(fail_at=1))
    with pytest.raises(OSError, match="told to fail"):
        view.read_into(0, memoryview(bytearray(MIB)))
    with pytest.raises(OSError, match="told to fail"):  # it is asked for once more
        view.hexdigest()


@pytest.mark.parametrize(("offset", "length"), [(512, MIB), (0, MIB - 512), (4 * MIB, 256)])
def test_a_digest_view_refuses_parts_of_blocks_before_it_reads(offset: int, length: int) -> None:
    inner = disk()
    with pytest.raises(ValueError):
        DigestView(inner).read_into(offset, memoryview(bytearray(length)))
    assert inner.reads == 0


def test_progress_counts_every_byte_that_was_read_and_none_that_failed() -> None:
    progress = Counted()
    view = ProgressView(disk(fail_at=3), progress)
    view.read_into(0, memoryview(bytearray(100)))
    view.read_into(7, memoryview(bytearray(5)))
    with pytest.raises(OSError, match="told to fail"):
        view.read_into(0, memoryview(bytearray(MIB)))
    assert progress.total == 105


def test_a_cancelled_run_reads_no_more() -> None:
    inner = disk()
    view = CancelView(inner, CancelledAfter(1))
    view.read_into(0, memoryview(bytearray(1)))
    with pytest.raises(Cancelled):
        view.read_into(0, memoryview(bytearray(1)))
    assert inner.reads == 1


@pytest.mark.parametrize("size", [4 * MIB + 512, 6 * MIB, 8 * MIB])
def test_a_longer_disk_ends_with_a_hole_of_zeros(size: int) -> None:
    reader = disk()
    longer = LongerView(reader, size)
    assert contents(longer) == contents(reader).ljust(size, b"\0")
    for start, length in ((0, size), (MIB, size - MIB), (size - 1, 1), (0, reader.size)):
        found = list(longer.extents(start, length))
        assert_gapless(found, start, length)
        assert not any(e.is_data for e in found if e.start >= reader.size)
    assert digest_reader(longer, threads=2) == digest_reader(
        MemoryReader.of_bytes(contents(longer)), threads=2
    )
    with pytest.raises(ValueError, match="not within"):
        longer.read_into(size - 1, memoryview(bytearray(2)))


def test_a_longer_disk_is_not_shorter() -> None:
    with pytest.raises(ValueError, match="less than"):
        LongerView(disk(), MIB)


@pytest.mark.parametrize(
    ("runs", "seen"),
    [
        ([], "----------"),
        ([(0, 10)], "AAAA--BBBB"),
        ([(1, 3)], "-AA-------"),
        ([(3, 7)], "---A--B---"),
        ([(0, 1), (2, 3), (5, 6), (9, 10)], "A-A------B"),
        ([(4, 6)], "----------"),
    ],
)
def test_what_is_not_stored_is_a_hole(runs: list[tuple[int, int]], seen: str) -> None:
    reader = MemoryReader.of_picture("AAAA--BBBB", unit=512)
    view = StoredView(reader, [(start * 512, end * 512) for start, end in runs])
    for start in range(10):
        for end in range(start + 1, 11):
            found = list(view.extents(start * 512, (end - start) * 512))
            assert_gapless(found, start * 512, (end - start) * 512)
            drawn = "".join(("x" if e.is_data else "-") * (e.length // 512) for e in found)
            assert drawn == "".join("-" if mark == "-" else "x" for mark in seen[start:end])


def assert_gapless(extents: list[Extent], start: int, length: int) -> None:
    cursor = start
    for extent in extents:
        assert extent.start == cursor
        assert extent.length > 0
        cursor = extent.end
    assert cursor == start + length
