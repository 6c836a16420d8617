"""Chunks come forward, head last, within the plan; whoever stops a writer stops its threads.

That qemu reads the files as the same disk is in tests/oracle and tests/property.
"""

from __future__ import annotations

import struct
from contextlib import closing

import pytest

from diskwright.blockio.memory import MemoryReader
from diskwright.errors import UsageError
from diskwright.formats.deflate import qcow2_cluster
from diskwright.model.image import ImageFormat
from diskwright.model.stored import HEAD_LIMIT, Chunk
from diskwright.ports import FormatWriter
from diskwright.writers import COMPRESSING, FORWARD, writer_for
from diskwright.writers.subformats import LARGEST, SUBFORMATS, check_size, subformat_of
from support.disks import assemble, contents, copy_threads

KIB, MIB, TIB = 1 << 10, 1 << 20, 1 << 40
PICTURES = ["-", "A", ".", "?", "A" * 40, "?" * 33, "A?" * 20, "-" * 40 + "A", "AB-0.?" * 12]
KINDS = [
    (ImageFormat.RAW, False),
    (ImageFormat.VHD, False),
    (ImageFormat.QCOW2, False),
    (ImageFormat.QCOW2, True),
]
HEAD_FIRST = {ImageFormat.RAW, ImageFormat.VHD}


def writer(kind: tuple[ImageFormat, bool], size: int) -> FormatWriter:
    return writer_for(kind[0], virtual_size=size, compressed=kind[1], threads=2)


def chunks_of(kind: tuple[ImageFormat, bool], reader: MemoryReader) -> list[Chunk]:
    return list(writer(kind, reader.size).chunks(reader))


@pytest.mark.parametrize("picture", PICTURES)
@pytest.mark.parametrize("cut", [0, 512, 64 * KIB - 512])
@pytest.mark.parametrize("kind", KINDS)
def test_chunks_go_forward_and_stay_within_the_plan(
    kind: tuple[ImageFormat, bool], picture: str, cut: int
) -> None:
    reader = MemoryReader.of_picture(picture, size=len(picture) * 64 * KIB - cut)
    layout = writer(kind, reader.size).plan(reader.extents(0, reader.size))
    chunks = chunks_of(kind, reader)
    end = 0
    for chunk in chunks[:-1]:
        assert chunk.offset >= end
        assert len(chunk.data) > 0
        end = chunk.offset + len(chunk.data)
    last = chunks[-1]
    if kind[0] is ImageFormat.RAW:
        assert (last.offset, len(last.data)) == (reader.size, 0)
    elif kind[0] is ImageFormat.VHD:
        assert (last.offset, len(last.data)) == (reader.size, 512)
    else:
        assert last.offset + len(last.data) <= HEAD_LIMIT
        assert chunks[0].offset >= HEAD_LIMIT
    assert len(assemble(chunks)) <= layout.size_limit
    assert (layout.format, layout.virtual_size) == (kind[0], reader.size)


@pytest.mark.parametrize("kind", KINDS)
def test_the_plan_counts_the_bytes_that_are_read(kind: tuple[ImageFormat, bool]) -> None:
    reader = MemoryReader.of_picture(
        "A" + "-" * 40 + "B-" + "0" * 80 + "C", size=123 * 64 * KIB + 7 * 512
    )
    layout = writer(kind, reader.size).plan(reader.extents(0, reader.size))
    assert layout.data_bytes == 2 * MIB + 2 * MIB + reader.size % (2 * MIB)


@pytest.mark.parametrize("compressed", [False, True])
def test_the_bound_is_near_when_nothing_compresses(compressed: bool) -> None:
    reader = MemoryReader.of_picture("?" * 128)
    kind = (ImageFormat.QCOW2, compressed)
    limit = writer(kind, reader.size).plan(reader.extents(0, reader.size)).size_limit
    size = len(assemble(chunks_of(kind, reader)))
    assert size == limit


def test_what_lies_behind_the_disk_in_its_last_cluster_is_zeros() -> None:
    reader = MemoryReader.of_picture("A" * 32 + "B", size=32 * 64 * KIB + 512)
    writer = writer_for(ImageFormat.QCOW2, virtual_size=reader.size, compressed=True, threads=1)
    last = b"B" * 512 + bytes(64 * KIB - 512)
    assert qcow2_cluster(memoryview(last)) in assemble(writer.chunks(reader))


def test_raw_is_the_disk() -> None:
    reader = MemoryReader.of_picture("AB-0.?" * 12, size=72 * 64 * KIB - 512)
    assert assemble(chunks_of((ImageFormat.RAW, False), reader)) == contents(reader)


def test_raw_writes_no_block_of_zeros() -> None:
    reader = MemoryReader.of_picture("A..B.-C")
    chunks = chunks_of((ImageFormat.RAW, False), reader)
    places = [(c.offset // (64 * KIB), len(c.data) // (64 * KIB)) for c in chunks]
    assert places == [(0, 1), (3, 1), (6, 1), (7, 0)]


@pytest.mark.parametrize("compressed", [False, True])
def test_qcow2_of_zeros_holds_tables_only(compressed: bool) -> None:
    kind = (ImageFormat.QCOW2, compressed)
    empty = assemble(chunks_of(kind, MemoryReader.of_picture("-" * 100)))
    zeros = assemble(chunks_of(kind, MemoryReader.of_picture("." * 50 + "0" * 50)))
    assert empty == zeros
    assert len(empty) == 4 * 64 * KIB  # header, L1, refcount table, refcount block


def test_a_full_window_is_one_chunk_whatever_compresses() -> None:
    plain = chunks_of((ImageFormat.QCOW2, False), MemoryReader.of_picture("A-B." * 8))
    assert len(plain[0].data) == 16 * 64 * KIB
    mixed = chunks_of((ImageFormat.QCOW2, True), MemoryReader.of_picture("A?" * 16))
    assert len(mixed[1].data) == 16 * 64 * KIB


def test_qcow2_maps_the_last_cluster_of_64_tib() -> None:
    size = 64 * TIB
    reader = MemoryReader(size, {size - 512: b"x" * 512})
    file = assemble(chunks_of((ImageFormat.QCOW2, True), reader))
    l1_entries, l1 = struct.unpack_from(">IQ", file, 36)
    assert l1_entries == size >> 29
    last_l2 = struct.unpack_from(">Q", file, l1 + 8 * (l1_entries - 1))[0] & ~(1 << 63)
    entry = struct.unpack_from(">Q", file, last_l2 + 8 * 8191)[0]
    assert entry >> 62 == 1
    assert entry & ((1 << 54) - 1) == 64 * KIB


@pytest.mark.parametrize("size", [0, 1, 513, -512])
def test_a_size_that_no_disk_has_is_refused(size: int) -> None:
    with pytest.raises(ValueError):
        writer((ImageFormat.QCOW2, False), size)


@pytest.mark.parametrize("image_format", sorted(LARGEST))
def test_a_disk_larger_than_its_format_holds_is_refused(image_format: ImageFormat) -> None:
    check_size(image_format, LARGEST[image_format])
    with pytest.raises(UsageError, match="too large"):
        check_size(image_format, LARGEST[image_format] + 512)


@pytest.mark.parametrize("kind", KINDS)
def test_a_reader_of_another_size_is_refused(kind: tuple[ImageFormat, bool]) -> None:
    with pytest.raises(ValueError):
        next(writer(kind, 1024).chunks(MemoryReader.of_bytes(b"x" * 512)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fail_at", [1, 2, 7, 16])
def test_a_failing_read_comes_out_without_a_head_and_without_threads(
    kind: tuple[ImageFormat, bool], fail_at: int
) -> None:
    error = OSError("this very one")
    reader = MemoryReader.of_picture("A" * 32 * 16, fail_at=fail_at, error=error)
    taken: list[Chunk] = []
    with pytest.raises(OSError, match="this very one") as caught:
        taken.extend(writer(kind, reader.size).chunks(reader))
    assert caught.value is error
    assert not copy_threads()
    assert all(chunk.offset >= HEAD_LIMIT or kind[0] in HEAD_FIRST for chunk in taken)
    assert len(taken) < fail_at


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("taken", range(5))
def test_closed_at_any_chunk_no_thread_stays(kind: tuple[ImageFormat, bool], taken: int) -> None:
    reader = MemoryReader.of_picture("A" * 32 * 16)
    chunks = writer(kind, reader.size).chunks(reader)
    with closing(chunks):
        for _ in range(taken):
            next(chunks)
    assert not copy_threads()
    assert reader.reads < 16


def test_the_bytes_of_a_chunk_belong_to_who_took_it() -> None:
    reader = MemoryReader.of_picture("".join(chr(ord("A") + i) * 32 for i in range(20)))
    for kind in KINDS:
        chunks, copies = [], []
        for chunk in writer(kind, reader.size).chunks(reader):
            chunks.append(chunk)
            copies.append(bytes(chunk.data))
        assert [bytes(chunk.data) for chunk in chunks] == copies


def test_every_forward_format_has_a_writer_and_no_other() -> None:
    for image_format in ImageFormat:
        for compressed in (False, True):
            if image_format in FORWARD and (not compressed or image_format in COMPRESSING):
                assert writer((image_format, compressed), 512)
            else:
                with pytest.raises(UsageError):
                    writer((image_format, compressed), 512)


@pytest.mark.parametrize("image_format", sorted(SUBFORMATS))
def test_a_subformat_is_one_that_the_format_has(image_format: ImageFormat) -> None:
    known = SUBFORMATS[image_format]
    assert subformat_of(image_format) == known[0]
    assert [subformat_of(image_format, name) for name in known] == list(known)
    with pytest.raises(UsageError, match="no subformat 'x'") as refused:
        subformat_of(image_format, "x")
    assert all(name in refused.value.hint for name in known)


@pytest.mark.parametrize("image_format", [ImageFormat.RAW, ImageFormat.QCOW2, ImageFormat.QED])
def test_a_format_of_one_kind_takes_no_subformat(image_format: ImageFormat) -> None:
    assert subformat_of(image_format) == ""
    with pytest.raises(UsageError, match="no subformats"):
        subformat_of(image_format, "fixed")
