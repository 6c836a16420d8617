"""What a delta holds, what is read for it, and how it ends."""

from __future__ import annotations

from contextlib import closing

import pytest

from diskwright.blockio.digest import digest_reader
from diskwright.blockio.memory import MemoryReader
from diskwright.blockio.view import DigestView, ProgressView, ShorterView
from diskwright.model.extent import Extent, ExtentKind
from diskwright.model.units import KIB, MIB, TIB
from diskwright.writers.qcow2_delta import Qcow2DeltaWriter
from support.disks import assemble, copy_threads

CLUSTER = 64 * KIB


def picture(marks: str) -> MemoryReader:
    return MemoryReader.of_picture(marks)


def writer(disk: MemoryReader, base: MemoryReader, *, compressed=False) -> Qcow2DeltaWriter:
    return Qcow2DeltaWriter(base=base, virtual_size=disk.size, compressed=compressed, threads=2)


def entries(file: bytes, count: int) -> str:
    """`-` nothing is said of a cluster, `0` it reads as zeros, else what it is full of."""
    l1 = int.from_bytes(file[40:48])
    l2 = int.from_bytes(file[l1 : l1 + 8]) & ((1 << 56) - 512)
    marks = ""
    for cluster in range(count):
        entry = int.from_bytes(file[l2 + 8 * cluster :][:8]) if l2 else 0
        offset = entry & ((1 << 56) - 512)
        marks += chr(file[offset]) if offset else "0" if entry == 1 else "-"
    return marks


@pytest.mark.parametrize(
    ("base", "disk", "delta"),
    [
        ("AAAA", "AAAA", "----"),
        ("ABCD", "AXCD", "-X--"),
        ("AB-0", "A-B0", "-0B-"),
        ("AB", "AB-C", "---C"),
        ("ABCD", "AX", "-X"),
        ("A...", "A-0.", "----"),
        ("----", "AB-.", "AB--"),
        ("AAAA", "----", "0000"),
        ("AAAA", "....", "0000"),
        ("A" * 40 + "B" * 40, "A" * 40 + "-" * 40, "-" * 40 + "0" * 40),
        ("A" * 31 + "B" * 3, "A" * 31 + "C" * 2 + "B", "-" * 31 + "CC-"),
    ],
)
def test_only_what_differs_is_there(base: str, disk: str, delta: str) -> None:
    ours, theirs = picture(disk), picture(base)
    file = assemble(writer(ours, theirs).chunks(ours))
    assert entries(file, len(delta)) == delta
    assert len(file) <= writer(ours, theirs).plan(ours.extents(0, ours.size)).size_limit


def test_windows_are_read_once_and_only_where_there_is_data() -> None:
    ours, theirs = picture("A" * 32 + "-" * 64 + "B" * 32), picture("A" * 64 + "-" * 64)
    assemble(writer(ours, theirs).chunks(ours))
    assert (ours.reads, theirs.reads) == (2, 2)


def test_digest_and_progress_are_those_of_the_disk() -> None:
    class Sum:
        total = 0

        def phase(self, name, total):
            raise AssertionError

        def advance(self, count):
            self.total += count

    ours, theirs, progress = picture("AAAB-" * 30), picture("AAAA-" * 25), Sum()
    view = DigestView(ProgressView(ours, progress))
    made = writer(ours, theirs)
    layout = made.plan(view.extents(0, view.size))
    assemble(made.chunks(view))
    assert view.hexdigest() == digest_reader(ours, threads=1)
    assert progress.total == layout.data_bytes


def test_a_disk_of_64_tib_that_was_all_cleared_is_no_trouble() -> None:
    theirs = MemoryReader(64 * TIB, {0: b"A" * MIB, 63 * TIB: b"B"})
    ours = MemoryReader(64 * TIB, {})
    made = writer(ours, theirs)
    limit = made.plan(ours.extents(0, ours.size)).size_limit
    chunks = list(made.chunks(ours))
    assert max(chunk.offset + len(chunk.data) for chunk in chunks) <= limit
    assert sum(len(chunk.data) for chunk in chunks) < 2 * MIB


@pytest.mark.parametrize("whose", ["disk", "base"])
def test_a_failing_read_of_either_comes_out_and_no_thread_stays(whose: str) -> None:
    error = OSError("this very one")
    failing = MemoryReader.of_picture("A" * 256, fail_at=3, error=error)
    other = picture("B" * 256)
    ours, theirs = (failing, other) if whose == "disk" else (other, failing)
    with pytest.raises(OSError, match="this very one"):
        list(writer(ours, theirs, compressed=True).chunks(ours))
    assert not copy_threads()


@pytest.mark.parametrize("taken", range(4))
def test_closed_at_any_chunk_no_thread_stays(taken: int) -> None:
    ours = picture("A" * 512)
    with closing(writer(ours, picture("B" * 512)).chunks(ours)) as chunks:
        for _ in range(taken):
            next(chunks)
    assert not copy_threads()
    assert ours.reads < 16


def test_another_disk_than_planned_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="planned for"):
        list(writer(picture("AA"), picture("A")).chunks(picture("A")))
    with pytest.raises(ValueError, match="not a size"):
        Qcow2DeltaWriter(base=picture("A"), virtual_size=100, compressed=True, threads=1)


def test_a_shorter_view_ends_where_it_says() -> None:
    view = ShorterView(picture("AB-"), 2 * CLUSTER)
    assert view.size == 2 * CLUSTER
    assert list(view.extents(CLUSTER, CLUSTER)) == [Extent(CLUSTER, CLUSTER, ExtentKind.DATA)]
    buffer = bytearray(1)
    view.read_into(2 * CLUSTER - 1, memoryview(buffer))
    assert buffer == b"B"
    with pytest.raises(ValueError, match="not within"):
        view.read_into(2 * CLUSTER, memoryview(buffer))
    with pytest.raises(ValueError, match="not within"):
        view.extents(0, 3 * CLUSTER)
    with pytest.raises(ValueError, match="more than"):
        ShorterView(picture("A"), 2 * CLUSTER)
