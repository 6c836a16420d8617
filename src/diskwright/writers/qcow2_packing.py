"""From the windows of a disk to the bytes of a qcow2 file: what both of its writers do alike.

window -> choose (reads it, says which clusters count) -> pack (in threads) -> in order -> file
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from typing import NamedTuple, TypeVar

from diskwright._values import Struct
from diskwright.blockio.copy import WINDOW, ThreadBuffer, Touched, Window
from diskwright.formats.deflate import qcow2_cluster
from diskwright.model.extent import Extent
from diskwright.model.image import ImageFormat
from diskwright.model.stored import Chunk, Layout
from diskwright.model.units import SECTOR, TIB, round_up
from diskwright.ports import BlockReader
from diskwright.writers.qcow2_tables import CLUSTER, L2_SPAN, Tables, table_clusters

LARGEST = 64 * TIB

_ZEROS = bytes(CLUSTER)

W = TypeVar("W", bound=Window)


class Chosen(NamedTuple):
    """Clusters of a window, as their offsets in it, ascending: to be stored, to read as zeros."""

    stored: list[int]
    zeros: list[int]


# Fills the buffer from its start on with the window and zeros up to a cluster's end.
Choose = Callable[[W, bytearray], Chosen]


class Packed(Struct, frozen=True):
    """A window's clusters as they are going to lie: compressed ones, then plain ones."""

    small: list[tuple[int, int]]  # (guest cluster, length)
    small_data: bytes
    plain: list[int]  # guest clusters
    plain_data: bytes | memoryview
    zeros: list[int]  # guest clusters


def check_size(virtual_size: int) -> None:
    if virtual_size % SECTOR or not 0 < virtual_size <= LARGEST:
        raise ValueError(f"not a size for a disk: {virtual_size}")


def layout_of(extents: Iterable[Extent], virtual_size: int, *, further_tables: int = 0) -> Layout:
    """The bound holds for data that does not compress at all, and `further_tables` L2 tables."""
    clusters, tables, windows = Touched(CLUSTER), Touched(L2_SPAN), Touched(WINDOW)
    for extent in extents:
        if extent.is_data:
            for touched in (clusters, tables, windows):
                touched.add(extent.start, extent.end)
    # The header, and each cluster at its worst. Aligning costs nothing more: what is compressed
    # begins at a cluster border, and n of them take less than n clusters up to the next one.
    data = 1 + clusters.count
    l2_tables = min(tables.count + further_tables, -(-virtual_size // L2_SPAN))
    return Layout(
        format=ImageFormat.QCOW2,
        virtual_size=virtual_size,
        size_limit=CLUSTER * table_clusters(data, l2_tables, virtual_size),
        data_bytes=windows.covered(virtual_size),
    )


def packer(choose: Choose[W], *, compressed: bool) -> Callable[[W], Packed]:
    """A cluster that does not get smaller is stored plain."""
    return _deflater(choose) if compressed else _picker(choose)


def file_of(virtual_size: int, windows: Iterable[Packed]) -> Generator[Chunk, None, None]:
    """The data as it comes, then the tables, then the header."""
    tables = Tables(virtual_size)
    position = CLUSTER
    for packed in windows:
        for cluster in packed.zeros:
            tables.add_zero(cluster)
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


def read_whole(reader: BlockReader, window: Window, buffer: bytearray) -> int:
    """The window into `buffer`, and zeros up to the end of its last cluster, which is returned."""
    end = round_up(window.length, CLUSTER)
    with memoryview(buffer) as view:
        reader.read_into(window.start, view[: window.length])
        view[window.length : end] = bytes(end - window.length)
    return end


def clusters_with_data(buffer: bytearray, end: int) -> list[int]:
    """Offsets of the clusters up to `end` that are not all zeros."""
    return [start for start in range(0, end, CLUSTER) if not buffer.startswith(_ZEROS, start)]


def _deflater(choose: Choose[W]) -> Callable[[W], Packed]:
    buffers = ThreadBuffer(WINDOW)

    def pack(window: W) -> Packed:
        buffer = buffers.get()
        chosen = choose(window, buffer)
        small: list[tuple[int, int]] = []
        pieces: list[bytes] = []
        plain: list[int] = []
        with memoryview(buffer) as view:
            for start in chosen.stored:
                piece = qcow2_cluster(view[start : start + CLUSTER])
                if len(piece) < CLUSTER:
                    small.append(((window.start + start) // CLUSTER, len(piece)))
                    pieces.append(piece)
                else:
                    plain.append(start)
            data = _gather(view, plain)
        return Packed(
            small, b"".join(pieces), _clusters(window, plain), data, _clusters(window, chosen.zeros)
        )

    return pack


def _picker(choose: Choose[W]) -> Callable[[W], Packed]:
    def pack(window: W) -> Packed:
        # new for each window: its bytes go on to the sink
        buffer = bytearray(round_up(window.length, CLUSTER))
        chosen = choose(window, buffer)
        view = memoryview(buffer)
        whole = len(chosen.stored) * CLUSTER == len(buffer)
        return Packed(
            [],
            b"",
            _clusters(window, chosen.stored),
            view if whole else _gather(view, chosen.stored),
            _clusters(window, chosen.zeros),
        )

    return pack


def _clusters(window: Window, starts: list[int]) -> list[int]:
    return [(window.start + start) // CLUSTER for start in starts]


def _gather(view: memoryview, starts: list[int]) -> bytes:
    return b"".join(view[start : start + CLUSTER] for start in starts)
