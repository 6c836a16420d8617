"""A writer's chunks in, a sealed disk's chunks out: one pass, nothing staged.

    plaintext   |<head>        first segment |  second  |  third  |
    object      | header 16 KiB | 40 | first |  second  |  third  |
    order       `-------- last, one chunk ---'  1st        2nd

The head of the plaintext may come last, so the whole first segment waits for it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator
from contextlib import closing

from diskwright._values import Struct
from diskwright.blockio.copy import ordered_map
from diskwright.envelope import stream
from diskwright.envelope.header import HEADER_SIZE
from diskwright.envelope.stream import FIRST_PLAIN, OTHER_PLAIN, SegmentSealer
from diskwright.model.stored import HEAD_LIMIT, Chunk

_ZEROS = memoryview(bytes(stream.SEGMENT_SIZE))


def sealed_size(plain: int) -> int:
    """Bytes of the sealed disk that `plain` bytes make."""
    return HEADER_SIZE + stream.payload_size(plain)


def seal_chunks(
    chunks: Iterator[Chunk], *, header: bytes, sealer: SegmentSealer, workers: int = 2
) -> Generator[Chunk, None, None]:
    """The sealed disk, forward, but for its first 1 MiB + 16 KiB, which is the last chunk.

    `chunks` are a FormatWriter's; `header` is the encoded header whose J1 `sealer` was made for.
    Closing this iterator closes `chunks` and ends its threads, as any error does. It holds some
    ten segments of 1 MiB at most.
    """
    if len(header) != HEADER_SIZE:
        raise ValueError(f"a header has {HEADER_SIZE} bytes")
    sealer.begin()
    free: deque[memoryview] = deque()

    def seal(piece: _Piece) -> Chunk:
        stored = sealer.seal(piece.index, piece.buffer[: piece.length], last=piece.last)
        if piece.index == 0:
            return Chunk(0, b"".join((header, sealer.payload_header, stored)))
        free.append(piece.buffer)
        return Chunk(HEADER_SIZE + stream.stored_start(piece.index), stored)

    with closing(_pieces(chunks, free)) as pieces:
        yield from ordered_map(pieces, seal, threads=workers, ahead=workers + 2)


class _Piece(Struct, frozen=True):
    """A segment's plaintext: the first `length` bytes of `buffer`."""

    index: int
    buffer: memoryview
    length: int
    last: bool


def _pieces(chunks: Iterator[Chunk], free: deque[memoryview]) -> Generator[_Piece, None, None]:
    """Segments 1, 2, … as they fill up, and segment 0 at the end; buffers are taken from `free`."""
    # Views, because a bytearray's own slice assignment copies twice.
    first = memoryview(bytearray(FIRST_PLAIN))
    index, buffer = 0, first
    position = 0  # the output is known up to here

    def put(data: memoryview) -> Iterator[_Piece]:
        """Append `data`. A full segment leaves only when a byte follows: it may be the last."""
        nonlocal index, buffer, position
        while data:
            at, inside = stream.segment_of(position)
            if at != index:
                if index:
                    yield _Piece(index, buffer, OTHER_PLAIN, last=False)
                index, buffer = at, free.pop() if free else memoryview(bytearray(OTHER_PLAIN))
            count = min(len(data), len(buffer) - inside)
            buffer[inside : inside + count] = data[:count]
            data = data[count:]
            position += count

    try:
        for chunk in chunks:
            end = chunk.offset + len(chunk.data)
            if end <= HEAD_LIMIT:  # in its turn or late
                first[chunk.offset : end] = chunk.data
                position = max(position, end)
                continue
            if chunk.offset < position:
                raise ValueError(f"a chunk at {chunk.offset} comes after byte {position}")
            while position < chunk.offset:
                yield from put(_ZEROS[: chunk.offset - position])
            yield from put(memoryview(chunk.data))
    finally:
        close = getattr(chunks, "close", None)
        if close is not None:
            close()
    if index:
        yield _Piece(index, buffer, position - stream.plain_start(index), last=True)
    yield _Piece(0, first, min(position, FIRST_PLAIN), last=index == 0)
