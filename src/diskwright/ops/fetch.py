"""The plain bytes of a stored object, verified, in order: what restore is made of."""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterator
from contextlib import closing

from diskwright._values import Struct
from diskwright.blockio.copy import ordered_map
from diskwright.envelope.header import HEADER_SIZE
from diskwright.envelope.opener import SealedDisk, verify_header
from diskwright.errors import DataTampered
from diskwright.model.image import ImageFormat
from diskwright.model.stored import Chunk, StoredObject
from diskwright.model.units import MIB
from diskwright.ops.images import Found
from diskwright.ports import ObjectStore

FETCHERS = 3
_PIECE = 8 * MIB  # parts of a large object are larger than what is held in memory
_QCOW2_MAGIC = b"QFI\xfb"
_QCOW2_SIZE, _QCOW2_SIZE_END = 24, 32  # big-endian (qcow2 specification, header)
_HOLE = 64 << 10
_ZEROS = bytes(_HOLE)


def plain_chunks(store: ObjectStore, found: Found) -> Generator[Chunk, None, None]:
    """Forward, `disk.stored_size` bytes in all. Raises DataTampered at the first difference.

    What came before an error is not all of it: the caller throws it away.
    """
    chunks = stored_chunks(store, found.stored) if found.data_key is None else _opened(store, found)
    with closing(chunks):
        first = next(chunks)
        _check_head(found, first.data)
        yield first
        del first
        yield from chunks


def _check_head(found: Found, head: bytes | bytearray | memoryview) -> None:
    """The stored file is of the format and the virtual size that the manifest says."""
    disk = found.disk
    if disk.format != ImageFormat.QCOW2:
        return  # a raw one has no head; its size was compared with its disk's
    data = bytes(head[:_QCOW2_SIZE_END])
    size = int.from_bytes(data[_QCOW2_SIZE:], "big")
    if not data.startswith(_QCOW2_MAGIC) or size != disk.virtual_size:
        raise DataTampered(found.stored.key, "it is no qcow2 file of the size in its manifest")


def _opened(store: ObjectStore, found: Found) -> Generator[Chunk, None, None]:
    """A sealed object, each segment authenticated."""
    assert found.data_key is not None
    stored, disk = found.stored, found.disk

    def read(offset: int, length: int) -> bytes:
        return store.get(stored.key, offset, length)

    head = verify_header(read(0, HEADER_SIZE), found.data_key, what=stored.key)
    j1 = head.header.disk
    if (j1.seal, j1.disk) != (found.manifest.seal, found.index):
        raise DataTampered(stored.key, "its header is that of another image or another disk")
    if (j1.format, j1.virtual_size) != (disk.format, disk.virtual_size):
        raise DataTampered(stored.key, "its header and its manifest do not say the same")
    info = store.head(stored.key)
    size = stored.size if info is None else info.size
    sealed = SealedDisk(read, size, head, what=stored.key)
    if (size, sealed.plain_size) != (stored.size, disk.stored_size):
        raise DataTampered(stored.key, "its size is not the one in the manifest")
    with closing(sealed.chunks(workers=FETCHERS)) as chunks:
        yield from chunks


def stored_chunks(store: ObjectStore, stored: StoredObject) -> Generator[Chunk, None, None]:
    """An object as it lies, each part against its digest; in memory only pieces of it. As
    `plain_chunks`."""
    info = store.head(stored.key)
    if info is not None and info.size != stored.size:
        raise DataTampered(stored.key, f"it has {info.size} bytes, its manifest says {stored.size}")

    def fetch(piece: _Piece) -> Chunk:
        data = store.get(stored.key, piece.offset, piece.length)
        if len(data) != piece.length:
            raise DataTampered(stored.key, f"it ends at byte {piece.offset + len(data)}")
        return Chunk(piece.offset, data)

    pieces = _pieces(stored)
    digest = hashlib.sha256()
    with closing(
        ordered_map(_pieces(stored), fetch, threads=FETCHERS, ahead=FETCHERS + 1)
    ) as chunks:
        for piece, chunk in zip(pieces, chunks, strict=True):
            digest.update(chunk.data)
            if piece.ends_part:
                part = piece.offset // stored.part_size
                if digest.hexdigest() != stored.part_digests[part]:
                    raise DataTampered(stored.key, f"part {part + 1} does not have its digest")
                digest = hashlib.sha256()
            yield chunk


class _Piece(Struct, frozen=True):
    offset: int
    length: int
    ends_part: bool


def _pieces(stored: StoredObject) -> Iterator[_Piece]:
    """At least one: an empty object has one empty part."""
    for number in range(len(stored.part_digests)):
        start = number * stored.part_size
        end = min(start + stored.part_size, stored.size)
        for offset in range(start, max(end, start + 1), _PIECE):
            length = min(_PIECE, end - offset)
            yield _Piece(offset, length, offset + length == end)


def with_holes(chunks: Iterator[Chunk], size: int) -> Iterator[Chunk]:
    """The same bytes, with runs of zeros left out, for a file where a gap reads as zeros."""
    for chunk in chunks:
        view = memoryview(chunk.data)
        start = None
        for at in range(0, len(view), _HOLE):
            piece = view[at : at + _HOLE]
            if piece == _ZEROS[: len(piece)]:
                if start is not None:
                    yield Chunk(chunk.offset + start, view[start:at])
                    start = None
            elif start is None:
                start = at
        if start is not None:
            yield Chunk(chunk.offset + start, view[start:])
    yield Chunk(size, b"")
