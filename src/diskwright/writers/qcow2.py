"""qcow2 in one forward pass: version 3, plain or compressed, without internal snapshots."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass

from diskwright.blockio.copy import WINDOW, ThreadBuffer, Touched, Window, read_windows
from diskwright.formats.deflate import qcow2_cluster
from diskwright.model.extent import Extent
from diskwright.model.image import ImageFormat
from diskwright.model.stored import Chunk, Layout
from diskwright.model.units import SECTOR, TIB, round_up
from diskwright.ports import BlockReader
from diskwright.writers.qcow2_tables import CLUSTER, L2_SPAN, Tables, table_clusters

LARGEST = 64 * TIB

_ZEROS = bytes(CLUSTER)


@dataclass(frozen=True, slots=True)
class _Packed:
    """A window's clusters as they are going to lie: compressed ones, then plain ones."""

    small: list[tuple[int, int]]  # (guest cluster, length)
    small_data: bytes
    plain: list[int]  # guest clusters
    plain_data: bytes | memoryview


class Qcow2Writer:
    """A `FormatWriter`. Clusters of zeros are never written, whatever the extents say.

    `virtual_size` is a multiple of 512 up to 64 TiB. A cluster that does not get smaller is stored
    plain. A chunk is what became of one window: about 1 MiB or more where the disk is full.
    """

    def __init__(self, *, virtual_size: int, compressed: bool, threads: int) -> None:
        if virtual_size % SECTOR or not 0 < virtual_size <= LARGEST:
            raise ValueError(f"not a size for a disk: {virtual_size}")
        self._size = virtual_size
        self._compressed = compressed
        self._threads = threads

    def plan(self, extents: Iterable[Extent]) -> Layout:
        """The bound holds for data that does not compress at all."""
        clusters, tables, windows = Touched(CLUSTER), Touched(L2_SPAN), Touched(WINDOW)
        for extent in extents:
            if extent.is_data:
                for touched in (clusters, tables, windows):
                    touched.add(extent.start, extent.end)
        # The header, and each cluster at its worst. Aligning costs nothing more: what is compressed
        # begins at a cluster border, and n of them take less than n clusters up to the next one.
        data = 1 + clusters.count
        return Layout(
            format=ImageFormat.QCOW2,
            virtual_size=self._size,
            size_limit=CLUSTER * table_clusters(data, tables.count, self._size),
            data_bytes=windows.covered(self._size),
        )

    def chunks(self, reader: BlockReader) -> Generator[Chunk, None, None]:
        if reader.size != self._size:
            raise ValueError(f"a disk of {reader.size} bytes, planned for {self._size}")
        tables = Tables(self._size)
        pack = self._deflater(reader) if self._compressed else self._picker(reader)
        position = CLUSTER
        with closing(read_windows(reader, pack, threads=self._threads)) as windows:
            for packed in windows:
                if packed.small:
                    yield Chunk(position, packed.small_data)
                    for cluster, length in packed.small:
                        tables.add_compressed(cluster, position, length)
                        position += length
                if packed.plain:
                    position = round_up(position, CLUSTER)
                    yield Chunk(position, packed.plain_data)
                    for cluster in packed.plain:
                        tables.add_plain(cluster, position)
                        position += CLUSTER
        yield from tables.chunks(position)

    def _deflater(self, reader: BlockReader) -> Callable[[Window], _Packed]:
        buffers = ThreadBuffer(WINDOW)

        def pack(window: Window) -> _Packed:
            buffer = buffers.get()
            small: list[tuple[int, int]] = []
            pieces: list[bytes] = []
            plain: list[int] = []
            with memoryview(buffer) as view:
                for start in _clusters_with_data(reader, window, buffer, view):
                    cluster = (window.start + start) // CLUSTER
                    piece = qcow2_cluster(view[start : start + CLUSTER])
                    if len(piece) < CLUSTER:
                        small.append((cluster, len(piece)))
                        pieces.append(piece)
                    else:
                        plain.append(cluster)
                return _Packed(small, b"".join(pieces), plain, _gather(view, window, plain))

        return pack

    def _picker(self, reader: BlockReader) -> Callable[[Window], _Packed]:
        def pack(window: Window) -> _Packed:
            # new for each window: its bytes go on to the sink
            buffer = bytearray(round_up(window.length, CLUSTER))
            view = memoryview(buffer)
            starts = list(_clusters_with_data(reader, window, buffer, view))
            plain = [(window.start + start) // CLUSTER for start in starts]
            whole = len(starts) * CLUSTER == len(buffer)
            return _Packed([], b"", plain, view if whole else _gather(view, window, plain))

        return pack


def _clusters_with_data(
    reader: BlockReader, window: Window, buffer: bytearray, view: memoryview
) -> Iterator[int]:
    """Reads the window into `buffer`; offsets in it of clusters that are not all zeros."""
    end = round_up(window.length, CLUSTER)
    reader.read_into(window.start, view[: window.length])
    view[window.length : end] = bytes(end - window.length)  # the disk's last cluster is filled up
    for start in range(0, end, CLUSTER):
        if not buffer.startswith(_ZEROS, start):
            yield start


def _gather(view: memoryview, window: Window, clusters: list[int]) -> bytes:
    starts = (cluster * CLUSTER - window.start for cluster in clusters)
    return b"".join(view[start : start + CLUSTER] for start in starts)
