"""The plain bytes of a stored object, verified, in order: what restore is made of."""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterator
from contextlib import closing

from diskwright.blockio.copy import ordered_map
from diskwright.envelope.header import HEADER_SIZE
from diskwright.envelope.opener import SealedDisk, verify_header
from diskwright.errors import DataTampered
from diskwright.model.stored import Chunk
from diskwright.ops.images import Found
from diskwright.ports import ObjectStore

FETCHERS = 3
_HOLE = 64 << 10
_ZEROS = bytes(_HOLE)


def plain_chunks(store: ObjectStore, found: Found) -> Generator[Chunk, None, None]:
    """Forward, `disk.stored_size` bytes in all. Raises DataTampered at the first difference.

    What came before an error is not all of it: the caller throws it away.
    """
    if found.data_key is None:
        yield from _parts(store, found)
        return
    stored, disk = found.stored, found.disk

    def read(offset: int, length: int) -> bytes:
        return store.get(stored.key, offset, length)

    head = verify_header(read(0, HEADER_SIZE), found.data_key, what=stored.key)
    j1 = head.header.disk
    if (j1.seal, j1.disk) != (found.manifest.seal, 0):
        raise DataTampered(stored.key, "its header is that of another image")
    if (j1.format, j1.virtual_size) != (disk.format, disk.virtual_size):
        raise DataTampered(stored.key, "its header and its manifest do not say the same")
    info = store.head(stored.key)
    size = stored.size if info is None else info.size
    sealed = SealedDisk(read, size, head, what=stored.key)
    if (size, sealed.plain_size) != (stored.size, disk.stored_size):
        raise DataTampered(stored.key, "its size is not the one in the manifest")
    with closing(sealed.chunks(workers=FETCHERS)) as chunks:
        yield from chunks


def _parts(store: ObjectStore, found: Found) -> Iterator[Chunk]:
    """An import-ready object, each part against its digest."""
    stored = found.stored
    if stored.size != found.disk.stored_size:
        raise DataTampered(stored.key, "its size is not the one in the manifest")
    info = store.head(stored.key)
    if info is not None and info.size != stored.size:
        raise DataTampered(stored.key, f"it has {info.size} bytes, its manifest says {stored.size}")
    whole = hashlib.sha256(b"".join(bytes.fromhex(d) for d in stored.part_digests)).hexdigest()
    if whole != stored.digest:
        raise DataTampered(stored.key, "the digests in its manifest do not belong together")

    def fetch(number: int) -> Chunk:
        offset = number * stored.part_size
        length = min(stored.part_size, stored.size - offset)
        data = store.get(stored.key, offset, length)
        if len(data) != length or hashlib.sha256(data).hexdigest() != stored.part_digests[number]:
            raise DataTampered(stored.key, f"part {number + 1} does not have its digest")
        return Chunk(offset, data)

    parts = range(len(stored.part_digests))
    yield from ordered_map(parts, fetch, threads=FETCHERS, ahead=FETCHERS + 1)


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
