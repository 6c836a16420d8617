"""Whatever a server sends, the bytes we hand on are the answer to what we asked, or an error."""

import socket
import threading

import pytest

from diskwright.blockio import nbd_wire as wire
from diskwright.blockio.nbd import NbdReader
from diskwright.blockio.nbd_connection import REQUEST_BYTES
from diskwright.errors import ImageBroken, ToolFailed, ToolStalled
from diskwright.model.extent import Extent, ExtentKind
from support.lying_nbd import LyingServer, chunk, data, error, hole, status


def read(answer, offset=4096, length=8192, *, stall_limit_s=20.0):
    """What read_into makes of the answers, in a buffer with borders that must stay."""
    buffer = bytearray(b"\xee" * (length + 128))
    with (
        LyingServer(answer) as server,
        NbdReader([server.client], name="/i", stall_limit_s=stall_limit_s) as reader,
    ):
        try:
            reader.read_into(offset, memoryview(buffer)[64 : 64 + length])
        finally:
            assert buffer[:64] == buffer[-64:] == b"\xee" * 64
    return bytes(buffer[64:-64])


LIES = {
    "another handle": lambda r: data(r, r.offset, b"x" * r.length, handle=r.handle + 1),
    "before the range": lambda r: data(r, r.offset - 1, b"x" * r.length),
    "beyond the range": lambda r: data(r, r.offset + 1, b"x" * r.length),
    "longer than asked": lambda r: data(r, r.offset, b"x" * (r.length + 1)),
    "far away": lambda r: data(r, 1 << 63, b"x" * r.length),
    "shorter than asked": lambda r: data(r, r.offset, b"x" * (r.length - 1)),
    "a gap in the middle": lambda r: (
        data(r, r.offset, b"x" * 100, done=False) + data(r, r.offset + 101, b"x" * (r.length - 101))
    ),
    "the same bytes twice": lambda r: (
        data(r, r.offset, b"x" * r.length, done=False) + data(r, r.offset, b"y" * r.length)
    ),
    "overlapping pieces": lambda r: (
        data(r, r.offset + 50, b"x" * (r.length - 50), done=False) + data(r, r.offset, b"y" * 51)
    ),
    "a hole over data": lambda r: (
        data(r, r.offset, b"x" * r.length, done=False) + hole(r, r.offset, r.length)
    ),
    "a hole beyond the range": lambda r: hole(r, r.offset, r.length + 1),
    "a hole of nothing": lambda r: hole(r, r.offset, 0),
    "a hole of 4 GiB": lambda r: hole(r, r.offset, (1 << 32) - 1),
    "no data in a data chunk": lambda r: data(r, r.offset, b""),
    "nothing, done": lambda r: chunk(r.handle, wire.CHUNK_NONE),
    "an unknown type": lambda r: chunk(r.handle, 77, b"abc"),
    "an unknown error type": lambda r: chunk(r.handle, 0x8077, b"abc"),
    "block status for a read": lambda r: status(r, (r.length, 0)),
    "a simple reply": lambda r: b"\x67\x44\x66\x98" + bytes(28) + b"x" * r.length,
    "an error that is cut": lambda r: chunk(r.handle, wire.CHUNK_ERROR, b"\0"),
    "an endless error": lambda r: chunk(r.handle, wire.CHUNK_ERROR, b"x" * 100, length=1 << 31),
    "an error whose text is longer": lambda r: chunk(
        r.handle, wire.CHUNK_ERROR, wire.ERROR.pack(5, 500) + b"x"
    ),
    "crumbs without end": lambda r: b"".join(
        data(r, r.offset + at, b"x", done=False) for at in range(0, r.length, 2)
    ),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_read_that_does_not_fit_is_an_error(lie):
    with pytest.raises(ToolFailed):
        read(LIES[lie])


def test_pieces_in_any_order_are_taken():
    def answer(r):
        half = r.length // 2
        return (
            data(r, r.offset + half, b"b" * (r.length - half), done=False)
            + hole(r, r.offset + 10, half - 10, done=False)
            + data(r, r.offset, b"a" * 10, done=False)
            + chunk(r.handle, wire.CHUNK_NONE)
        )

    assert read(answer) == b"a" * 10 + bytes(4086) + b"b" * 4096


def test_requests_may_be_answered_in_any_order():
    held = []

    def answer(r):
        held.append(data(r, r.offset, bytes([r.offset // REQUEST_BYTES]) * r.length))
        return b"".join(reversed(held)) if len(held) == 2 else b""

    got = read(answer, offset=0, length=2 * REQUEST_BYTES)
    assert got == b"\0" * REQUEST_BYTES + b"\1" * REQUEST_BYTES


@pytest.mark.parametrize("number", [wire.EIO, wire.EINVAL])
def test_a_read_error_is_the_images_and_names_the_byte(number):
    with pytest.raises(ImageBroken) as caught:
        read(lambda r: error(r, number, offset=5000))
    assert (caught.value.code_name, caught.value.offset) == ("unreadable", 5000)


def test_another_error_is_the_tools():
    with pytest.raises(ToolFailed):
        read(lambda r: error(r, 12))


def test_after_a_read_error_the_connection_still_serves():
    def answer(r):
        return error(r, wire.EIO) if r.offset == 0 else data(r, r.offset, b"x" * r.length)

    with LyingServer(answer) as server, NbdReader([server.client], name="/i") as reader:
        buffer = memoryview(bytearray(512))
        with pytest.raises(ImageBroken):
            reader.read_into(0, buffer)
        reader.read_into(512, buffer)
        assert bytes(buffer) == b"x" * 512


def test_silence_is_a_stall():
    with pytest.raises(ToolStalled):
        read(lambda _: b"", stall_limit_s=0.1)


def test_silence_amid_an_answer_is_a_stall():
    with pytest.raises(ToolStalled):
        read(lambda r: data(r, r.offset, b"x" * r.length)[:-1], stall_limit_s=0.1)


def test_a_connection_that_ends_amid_an_answer_is_an_error():
    def answer(r):
        raise EOFError

    with pytest.raises(ToolFailed):
        read(answer)


def test_close_wakes_a_reader_that_waits():
    asked = threading.Event()

    def answer(_):
        asked.set()
        return b""

    with LyingServer(answer) as server:
        reader = NbdReader([server.client], name="/i")
        failures = []

        def work():
            try:
                reader.read_into(0, memoryview(bytearray(512)))
            except ToolFailed as failure:
                failures.append(failure)

        thread = threading.Thread(target=work)
        thread.start()
        asked.wait()
        reader.close()
        thread.join()
        assert len(failures) == 1


def extents(answer, start=0, length=1 << 20):
    with LyingServer(answer) as server, NbdReader([server.client], name="/i") as reader:
        return list(reader.extents(start, length))


STATUS_LIES = {
    "no progress": lambda r: status(r, (0, 0)),
    "no extents": status,
    "half an extent": lambda r: chunk(r.handle, wire.CHUNK_BLOCK_STATUS, bytes(10)),
    "another context": lambda r: status(r, (r.length, 0), context=9),
    "twice": lambda r: status(r, (r.length, 0), done=False) + status(r, (r.length, 0)),
    "never": lambda r: chunk(r.handle, wire.CHUNK_NONE),
    "another handle": lambda r: chunk(r.handle + 1, wire.CHUNK_NONE),
    "data": lambda r: data(r, r.offset, b"x"),
    "4 GiB of extents": lambda r: chunk(r.handle, wire.CHUNK_BLOCK_STATUS, length=(1 << 32) - 4),
}


@pytest.mark.parametrize("lie", STATUS_LIES)
def test_block_status_that_does_not_fit_is_an_error(lie):
    with pytest.raises(ToolFailed):
        extents(STATUS_LIES[lie])


def test_an_extent_beyond_the_disk_is_clipped():
    assert extents(lambda r: status(r, ((1 << 32) - 1, 3))) == [Extent(0, 1 << 20, ExtentKind.HOLE)]


def test_neighbours_of_one_kind_are_merged_across_answers():
    def answer(r):
        return status(r, (4096, 0 if r.offset < 65536 else 3))

    assert extents(answer, length=131072) == [
        Extent(0, 65536, ExtentKind.DATA),
        Extent(65536, 65536, ExtentKind.HOLE),
    ]


@pytest.mark.parametrize(
    ("flags", "kind"),
    [(0, ExtentKind.DATA), (1, ExtentKind.DATA), (2, ExtentKind.ZERO), (3, ExtentKind.HOLE)],
)
def test_only_what_promises_zeros_is_not_data(flags, kind):
    assert extents(lambda r: status(r, (r.length, flags)), length=512) == [Extent(0, 512, kind)]


@pytest.mark.parametrize(
    "greeting",
    [b"\0" * 18, b"NBDMAGIC" + b"\0" * 10, wire.GREETING.pack(wire.MAGIC, wire.OPTION_MAGIC, 0)],
)
def test_another_greeting_is_an_error(greeting):
    with LyingServer(lambda _: b"", greeting=greeting) as server, pytest.raises(ToolFailed):
        NbdReader([server.client], name="/i")


def test_an_impossible_size_is_an_error():
    with LyingServer(lambda _: b"", size=1 << 63) as server, pytest.raises(ToolFailed):
        NbdReader([server.client], name="/i")


def test_connections_that_disagree_about_the_size_are_an_error():
    with (
        LyingServer(lambda _: b"", size=512) as one,
        LyingServer(lambda _: b"", size=1024) as two,
        pytest.raises(ToolFailed),
    ):
        NbdReader([one.client, two.client], name="/i")


def test_a_server_that_leaves_at_once_is_an_error():
    ours, theirs = socket.socketpair()
    theirs.close()
    with pytest.raises(ToolFailed):
        NbdReader([ours], name="/i")
