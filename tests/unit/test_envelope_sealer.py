"""The pass that seals: its threads, its memory, its order, and what it refuses to do."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from diskwright.envelope.sealer import seal_chunks, sealed_size
from diskwright.envelope.stream import FIRST_PLAIN, OTHER_PLAIN, SegmentSealer, plain_size
from diskwright.model.stored import LATE_LIMIT, Chunk
from support.sealing import DATA_KEY, PREFIX, SALT, assemble, make_header, open_bytes

MIB = 1 << 20


class Source:
    """A writer's chunks, counted; `fails_at` raises in place of that chunk."""

    def __init__(self, count: int, *, fails_at: int = -1) -> None:
        self.given = 0
        self.closed = False
        self._chunks = self._make(count, fails_at)

    def _make(self, count: int, fails_at: int) -> Iterator[Chunk]:
        for number in range(count):
            if number == fails_at:
                raise OSError("the source fell away")
            self.given += 1
            yield Chunk(number * MIB, bytes([number % 251]) * MIB)

    def __iter__(self) -> Iterator[Chunk]:
        return self

    def __next__(self) -> Chunk:
        return next(self._chunks)

    def close(self) -> None:
        self.closed = True


def sealing(source: Iterator[Chunk], *, workers: int = 2) -> Iterator[Chunk]:
    head, j1 = make_header(0)
    sealer = SegmentSealer(DATA_KEY, j1, salt=SALT, prefix=PREFIX)
    return seal_chunks(source, header=head, sealer=sealer, workers=workers)


def our_threads() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith("diskwright-")]


def test_everything_comes_forward_but_the_first_mebibyte() -> None:
    chunks = list(sealing(Source(5)))
    late = chunks.pop()
    assert late.offset == 0
    assert len(late.data) == (16 << 10) + MIB <= LATE_LIMIT
    starts = [chunk.offset for chunk in chunks]
    assert starts == [(16 << 10) + n * MIB for n in range(1, len(chunks) + 1)]


def test_a_disk_of_one_segment_is_one_chunk() -> None:
    chunks = list(sealing(iter([Chunk(0, b"hello")])))
    assert [chunk.offset for chunk in chunks] == [0]
    assert len(chunks[0].data) == sealed_size(5)


def test_nothing_at_all_is_a_disk_too() -> None:
    sealed = assemble(sealing(iter([])))
    assert len(sealed) == sealed_size(0) == (16 << 10) + 40 + 16
    assert open_bytes(sealed) == b""


def test_a_trailing_hole_of_many_segments_is_sealed_as_zeros() -> None:
    size = FIRST_PLAIN + 3 * OTHER_PLAIN
    sealed = assemble(sealing(iter([Chunk(0, b"x"), Chunk(size, b"")])))
    assert len(sealed) == sealed_size(size)
    assert open_bytes(sealed) == b"x" + bytes(size - 1)


def test_a_buffer_that_is_used_again_holds_nothing_of_its_former_segment() -> None:
    count = 20
    full = [Chunk(n * MIB, b"\xff" * MIB) for n in range(count)]
    end = 2 * count * MIB
    sealed = assemble(sealing(iter([*full, Chunk(end, b"!")])))
    assert open_bytes(sealed) == b"\xff" * count * MIB + bytes(end - count * MIB) + b"!"


def test_the_source_is_read_a_few_segments_ahead_and_no_further() -> None:
    source = Source(100)
    chunks = sealing(source)
    next(chunks)
    assert source.given <= 8
    assert our_threads() != []
    chunks.close()


@pytest.mark.parametrize("taken", [1, 2, 7])
def test_closing_it_closes_the_source_and_ends_the_threads(taken: int) -> None:
    source = Source(20)
    chunks = sealing(source)
    for _ in range(taken):
        next(chunks)
    chunks.close()
    assert source.closed
    assert our_threads() == []


@pytest.mark.parametrize("fails_at", [0, 1, 2, 9, 19])
def test_an_error_of_the_source_passes_and_the_threads_end(fails_at: int) -> None:
    source = Source(20, fails_at=fails_at)
    with pytest.raises(OSError, match="fell away"):
        list(sealing(source))
    assert source.closed
    assert our_threads() == []


def test_a_chunk_that_goes_back_is_refused() -> None:
    wrong = [Chunk(0, bytes(2 * MIB)), Chunk(MIB, b"again")]
    with pytest.raises(ValueError, match="comes after byte"):
        list(sealing(iter(wrong)))


def test_a_sealer_seals_one_payload() -> None:
    head, j1 = make_header(0)
    sealer = SegmentSealer.fresh(DATA_KEY, j1)
    list(seal_chunks(iter([Chunk(0, b"one")]), header=head, sealer=sealer))
    with pytest.raises(RuntimeError, match="second"):
        next(seal_chunks(iter([Chunk(0, b"two")]), header=head, sealer=sealer))


def test_fresh_sealers_share_no_nonce() -> None:
    _, j1 = make_header(0)
    headers = {SegmentSealer.fresh(DATA_KEY, j1).payload_header for _ in range(8)}
    assert len(headers) == 8


@pytest.mark.parametrize("payload", [0, 39, 40, 55, MIB + 1, MIB + 16, 2 * MIB + 16])
def test_a_size_that_no_payload_has_is_refused(payload: int) -> None:
    with pytest.raises(ValueError, match="no payload"):
        plain_size(payload)
