"""A sealed disk that is read through a callback: its size, its reads, its threads."""

from __future__ import annotations

import threading

import pytest

from diskwright.envelope.header import HEADER_SIZE
from diskwright.envelope.opener import Read, SealedDisk, verify_header
from diskwright.envelope.sealer import sealed_size
from diskwright.envelope.stream import FIRST_PLAIN, OTHER_PLAIN
from diskwright.errors import DataTampered, RemoteUnreachable
from support.sealing import DATA_KEY, seal_bytes

MIB = 1 << 20
SIZE = FIRST_PLAIN + OTHER_PLAIN * 39
SEALED_SIZE = sealed_size(SIZE)


@pytest.fixture(scope="module")
def sealed() -> bytes:
    """Forty segments: zeros in the first, ones in all others."""
    return seal_bytes(bytes(FIRST_PLAIN) + b"\x01" * (SIZE - FIRST_PLAIN))


def opened(sealed: bytes, *, read: Read | None = None) -> SealedDisk:
    header = verify_header(sealed[:HEADER_SIZE], DATA_KEY, what="x")
    return SealedDisk(read or reader(sealed), len(sealed), header, what="x")


def reader(sealed: bytes) -> Read:
    return lambda offset, length: sealed[offset : offset + length]


def our_threads() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith("diskwright-")]


@pytest.mark.parametrize("cut", [HEADER_SIZE + MIB, HEADER_SIZE + 2 * MIB, SEALED_SIZE - 1])
def test_what_was_cut_is_refused_before_anything_is_read_of_it(sealed: bytes, cut: int) -> None:
    with pytest.raises(DataTampered):
        opened(sealed[:cut])


def test_what_was_made_longer_is_refused_too(sealed: bytes) -> None:
    for more in (b"\0", bytes(16), bytes(17), bytes(MIB)):
        with pytest.raises(DataTampered):
            opened(sealed + more)


def test_a_size_that_no_sealed_disk_has_is_refused_without_a_read(sealed: bytes) -> None:
    def read(offset: int, length: int) -> bytes:
        raise AssertionError("there is nothing to read")

    for size in (HEADER_SIZE, HEADER_SIZE + 55, HEADER_SIZE + MIB + 16):
        with pytest.raises(DataTampered, match=f"{size} bytes"):
            opened(sealed[:size], read=read)


def test_a_read_that_comes_back_short_is_refused(sealed: bytes) -> None:
    """The object became shorter after its size was asked for."""
    whole = reader(sealed)
    for short_at in (HEADER_SIZE, HEADER_SIZE + 39 * MIB, HEADER_SIZE + 40):

        def read(offset: int, length: int, short_at: int = short_at) -> bytes:
            data = whole(offset, length)
            return data[:-1] if offset == short_at else data

        with pytest.raises(DataTampered, match="shorter than its size"):
            list(opened(sealed, read=read).chunks())


def test_an_error_of_a_read_passes_and_the_threads_end(sealed: bytes) -> None:
    def read(offset: int, length: int) -> bytes:
        if HEADER_SIZE + 8 * MIB <= offset < HEADER_SIZE + 30 * MIB:
            raise RemoteUnreachable("https://s3", "timed out")
        return reader(sealed)(offset, length)

    with pytest.raises(RemoteUnreachable):
        list(opened(sealed, read=read).chunks())
    assert our_threads() == []


def test_it_reads_a_little_ahead_and_stops_when_closed(sealed: bytes) -> None:
    asked: list[int] = []

    def read(offset: int, length: int) -> bytes:
        asked.append(length)
        return reader(sealed)(offset, length)

    chunks = opened(sealed, read=read).chunks(workers=2)
    next(chunks)
    chunks.close()
    assert our_threads() == []
    assert sum(asked) <= 26 * MIB
