"""A sealed disk opened, whole and in order. Nothing unverified leaves."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing

from diskwright._values import Secretive
from diskwright.blockio.copy import ordered_map
from diskwright.envelope import header as headers
from diskwright.envelope import stream
from diskwright.envelope.header import HEADER_SIZE, Header
from diskwright.envelope.recipients import Unwrap, unwrap_any
from diskwright.envelope.stream import SegmentOpener
from diskwright.errors import DataTampered
from diskwright.model.stored import Chunk

Read = Callable[[int, int], bytes]  # (offset, length) of the object; short only at its end

_RUN = 4  # segments fetched by one read: a request for each 1 MiB would wait on the network


class OpenedHeader(Secretive, frozen=True):
    """A header whose MAC holds, and the data key that it holds under."""

    header: Header
    data_key: bytes


def open_header(data: bytes, unwrap: Unwrap, *, what: str) -> OpenedHeader:
    """From the first 16 KiB of a sealed disk and a KeyWrapper's `unwrap`.

    Raises KeyRefused, or DataTampered which names `what`.
    """
    header = headers.decode(data, what=what)
    data_key = unwrap_any(header.recipients, header.disk.seal, unwrap)
    headers.check_mac(data, data_key, what=what)
    return OpenedHeader(header, data_key)


def verify_header(data: bytes, data_key: bytes, *, what: str) -> OpenedHeader:
    """The same with a data key that is known already, as from the image's manifest."""
    header = headers.decode(data, what=what)
    headers.check_mac(data, data_key, what=what)
    return OpenedHeader(header, data_key)


class SealedDisk:
    """The plaintext of a sealed disk of `size` bytes, which `read` reads.

    Its last segment is verified here, so `plain_size` is authentic: nothing was cut off or added.
    `read` may be called from several threads at once.
    """

    def __init__(self, read: Read, size: int, opened: OpenedHeader, *, what: str) -> None:
        self._read = read
        self._what = what
        try:
            self.plain_size = stream.plain_size(size - HEADER_SIZE)
        except ValueError as error:
            raise DataTampered(what, f"no sealed disk has its size ({size} bytes)") from error
        self._payload_size = size - HEADER_SIZE
        self._count = stream.segment_count(self.plain_size)
        self._cipher = SegmentOpener(
            opened.data_key,
            opened.header.j1,
            self._stored(0, stream.PAYLOAD_HEADER_SIZE),
            what=what,
        )
        self._open_run(self._count - 1, self._count)

    def chunks(self, *, workers: int = 2) -> Generator[Chunk, None, None]:
        """The whole plaintext, forward, a chunk for each segment; `workers` reads at a time.

        Closing it ends its threads. On an error the chunks that came before it are authentic, but
        are not all: the caller has to throw them away.
        """
        with closing(self._runs(workers)) as runs:
            for run in runs:
                yield from run

    def _runs(self, workers: int) -> Generator[list[Chunk], None, None]:
        def work(start: int) -> list[Chunk]:
            return self._open_run(start, start + _RUN)

        starts = range(0, self._count, _RUN)
        yield from ordered_map(starts, work, threads=workers, ahead=workers + 2)

    def _open_run(self, start: int, end: int) -> list[Chunk]:
        """Segments `[start, end)`, or those that there are, by one read."""
        end = min(end, self._count)
        begin = stream.stored_start(start)
        stop = min(stream.stored_start(end), self._payload_size)
        stored = memoryview(self._stored(begin, stop - begin))
        chunks = []
        for index in range(start, end):
            at = stream.stored_start(index) - begin
            segment = stored[at : stream.stored_start(index + 1) - begin]
            plain = self._cipher.open(index, segment, last=index == self._count - 1)
            chunks.append(Chunk(stream.plain_start(index), plain))
        return chunks

    def _stored(self, offset: int, length: int) -> bytes:
        """Bytes of the payload."""
        data = self._read(HEADER_SIZE + offset, length)
        if len(data) != length:
            raise DataTampered(self._what, "it is shorter than its size says")
        return data
