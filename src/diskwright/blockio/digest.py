"""The disk digest `dw1`: of what the guest sees, whatever the format or the holes.

    dw1 = SHA-256( u64be(virtual_size) ‖ SHA-256(block 0) ‖ SHA-256(block 1) ‖ … )

Blocks are 1 MiB, the last one padded with zeros. Their digests can be made in any order and by any
number of threads, and that of a block of zeros is a constant, so a hole costs nothing to read.
Specified in docs/disk-digest.md, vectors in docs/vectors/dw1.json.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable, Iterator

from diskwright.blockio.copy import WINDOW, ThreadBuffer, Window, read_windows
from diskwright.model.extent import Extent
from diskwright.model.units import MIB
from diskwright.ports import BlockReader

BLOCK = MIB
_DIGEST_SIZE = 32
_ZEROS = bytes(BLOCK)
_ZERO_DIGEST = hashlib.sha256(_ZEROS).digest()

# Digests are kept in pages of 1024 (32 KiB), made where a block was seen: 4 MiB for 128 GiB of data
_PAGE = 1024
_ZERO_PAGE = _ZERO_DIGEST * _PAGE


class DigestIncomplete(RuntimeError):
    """A block with data was never read: the digest would be that of another disk."""


class DiskDigest:
    """Collects block digests in any order, from any thread."""

    def __init__(self, virtual_size: int) -> None:
        self._size = virtual_size
        self._pages: dict[int, bytearray] = {}
        self._seen: dict[int, bytearray] = {}
        self._lock = threading.Lock()

    def check(self, offset: int, length: int) -> None:
        """Raises ValueError unless the range is made of whole blocks of the disk."""
        end = offset + length
        if offset < 0 or offset % BLOCK or end > self._size or (end % BLOCK and end != self._size):
            raise ValueError(f"{length} bytes at {offset} are not whole blocks of the disk")

    def update(self, offset: int, data: memoryview) -> None:
        """Hash whole blocks from `offset` on."""
        self.check(offset, len(data))
        for start in range(0, len(data), BLOCK):
            piece = data[start : start + BLOCK]
            block = hashlib.sha256(piece)
            if len(piece) < BLOCK:
                block.update(memoryview(_ZEROS)[len(piece) :])
            self._put((offset + start) // BLOCK, block.digest())

    def hexdigest(
        self, extents: Iterable[Extent], read_into: Callable[[int, memoryview], None]
    ) -> str:
        """`dw1`; blocks that were not hashed are zeros.

        `extents` are those of the whole disk. What is data by now and was a hole when the disk was
        read, as the unwritten extents of a file are by what of them is cached (ext4, XFS), is read
        by `read_into` for this. Raises DigestIncomplete where that is not zeros.
        """
        for extent in extents:
            if extent.is_data:
                for block in self._unread(extent.start // BLOCK, (extent.end - 1) // BLOCK):
                    self._require_zeros(block, read_into)
        digest = hashlib.sha256(self._size.to_bytes(8, "big"))
        blocks = -(-self._size // BLOCK)
        for first in range(0, blocks, _PAGE):
            page = self._pages.get(first // _PAGE, _ZERO_PAGE)
            digest.update(memoryview(page)[: (blocks - first) * _DIGEST_SIZE])
        return digest.hexdigest()

    def _put(self, block: int, digest: bytes) -> None:
        number, index = divmod(block, _PAGE)
        with self._lock:
            page = self._pages.setdefault(number, bytearray())
            if not page:
                page += _ZERO_PAGE
                self._seen[number] = bytearray(_PAGE)
            page[index * _DIGEST_SIZE : (index + 1) * _DIGEST_SIZE] = digest
            self._seen[number][index] = 1

    def _unread(self, first: int, last: int) -> Iterator[int]:
        for number in range(first // _PAGE, last // _PAGE + 1):
            low = max(first - number * _PAGE, 0)
            high = min(last - number * _PAGE + 1, _PAGE)
            seen = self._seen.get(number, bytearray(_PAGE))
            while (missing := seen.find(0, low, high)) >= 0:
                yield number * _PAGE + missing
                low = missing + 1

    def _require_zeros(self, block: int, read_into: Callable[[int, memoryview], None]) -> None:
        start = block * BLOCK
        data = bytearray(min(BLOCK, self._size - start))
        read_into(start, memoryview(data))
        if data != _ZEROS[: len(data)]:
            raise DigestIncomplete(f"block {block} was never read")


def digest_reader(reader: BlockReader, *, threads: int) -> str:
    """`dw1` (hex) of all of `reader`, read and hashed in `threads` threads."""
    digest = DiskDigest(reader.size)
    buffers = ThreadBuffer(WINDOW)

    def read(window: Window) -> None:
        data = memoryview(buffers.get())[: window.length]
        reader.read_into(window.start, data)
        digest.update(window.start, data)

    for _ in read_windows(reader, read, threads=threads):
        pass
    return digest.hexdigest(reader.extents(0, reader.size), reader.read_into)
