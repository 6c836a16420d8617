"""Whatever chunks a writer gives, the sealed disk opens to what they make."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diskwright.envelope import stream
from diskwright.envelope.header import HEADER_SIZE
from diskwright.envelope.sealer import sealed_size
from diskwright.envelope.stream import FIRST_PLAIN, OTHER_PLAIN
from diskwright.model.stored import HEAD_LIMIT, Chunk
from support.sealing import assemble, open_bytes, seal_bytes

_BORDERS = [0, HEAD_LIMIT, FIRST_PLAIN, FIRST_PLAIN + OTHER_PLAIN, FIRST_PLAIN + 2 * OTHER_PLAIN]
_AROUND = st.builds(
    lambda border, step: max(0, border + step), st.sampled_from(_BORDERS), st.integers(-2, 2)
)
SIZES = _AROUND | st.integers(0, FIRST_PLAIN + 2 * OTHER_PLAIN + 5)


@st.composite
def writers(draw: st.DrawFn) -> list[Chunk]:
    """Chunks as a FormatWriter may give them: gaps, empty chunks, the head first or last."""
    size = draw(SIZES)
    content = random.Random(draw(st.integers(0, 9))).randbytes(size)
    cuts = sorted({0, size, *draw(st.lists(st.integers(0, size) | _AROUND, max_size=8))})
    cuts = [cut for cut in cuts if cut <= size]
    chunks = [
        Chunk(start, content[start:end]) for start, end in pairwise(cuts) if draw(st.integers(0, 3))
    ]
    if chunks and len(chunks[0].data) + chunks[0].offset <= HEAD_LIMIT and draw(st.booleans()):
        chunks.append(chunks.pop(0))
    if draw(st.booleans()):
        end = max((c.offset + len(c.data) for c in chunks), default=0)
        chunks.append(Chunk(max(size, end), b""))
    return chunks


def _made_by(chunks: list[Chunk]) -> bytes:
    size = max((c.offset + len(c.data) for c in chunks), default=0)
    output = bytearray(size)
    for chunk in chunks:
        output[chunk.offset : chunk.offset + len(chunk.data)] = chunk.data
    return bytes(output)


@settings(max_examples=60, deadline=None)
@given(chunks=writers())
def test_a_sealed_disk_opens_to_what_the_chunks_make(chunks: list[Chunk]) -> None:
    plain = _made_by(chunks)
    sealed = seal_bytes(plain, chunks=chunks)
    assert len(sealed) == sealed_size(len(plain))
    assert stream.plain_size(len(sealed) - HEADER_SIZE) == len(plain)
    assert open_bytes(sealed) == plain


@settings(deadline=None)
@given(size=SIZES | st.integers(0, 1 << 45))
def test_sizes_and_places_agree(size: int) -> None:
    payload = stream.payload_size(size)
    assert stream.plain_size(payload) == size
    index, inside = stream.segment_of(size)
    assert stream.plain_start(index) + inside == size
    last, _ = stream.segment_of(max(0, size - 1))
    assert stream.segment_count(size) == last + 1
    assert stream.stored_start(last) < payload <= stream.stored_start(last + 1)


@pytest.mark.parametrize(
    "wrong",
    [
        [Chunk(9, b"a"), Chunk(0, bytes(3 << 20))],  # late, and too long for it
        [Chunk(9, b"a"), Chunk(0, b"b"), Chunk(10, b"c")],  # something after what came late
        [Chunk(9, b"a"), Chunk(5, b"b"), Chunk(0, b"c")],  # late, and backwards
    ],
)
def test_the_judge_of_the_order_can_say_no(wrong: list[Chunk]) -> None:
    with pytest.raises(AssertionError):
        assemble(iter(wrong))
