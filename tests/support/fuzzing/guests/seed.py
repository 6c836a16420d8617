"""A good disk with a guest, packed, with what its reader asks for."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from unittest.mock import patch

from diskwright.blockio.memory import MemoryReader
from diskwright.guest import inspect
from diskwright.guest.source import Source
from diskwright.model.guest import GuestFacts
from support.fuzzing.guests.disk import Disk
from support.fuzzing.guests.sums import Sum
from support.fuzzing.seed import Places

_UNIT = 512
_PIECE = 1 << 16


@dataclass(frozen=True)
class Slot:
    """A file or a link in ext2: where its blocks and its inode are. `room`: how much fits."""

    path: str
    content: bytes
    inode: int
    blocks: tuple[int, ...] = ()
    block: int = 1024

    @property
    def room(self) -> int:
        return len(self.blocks) * self.block

    def put(self, data: bytearray, content: bytes) -> None:
        """As what the file holds, or the link leads to; what does not fit is cut."""
        content = content[: self.room if self.blocks else 59]
        struct.pack_into("<I", data, self.inode + 4, len(content))
        if not self.blocks:
            data[self.inode + 40 : self.inode + 100] = content.ljust(60, b"\0")
        for number, at in enumerate(self.blocks):
            piece = content[number * self.block : (number + 1) * self.block]
            data[at : at + self.block] = piece.ljust(self.block, b"\0")

    def moved(self, by: int) -> Slot:
        """The same in a disk, whose partition begins there."""
        return replace(self, inode=self.inode + by, blocks=tuple(at + by for at in self.blocks))


@dataclass(frozen=True)
class GuestSeed:
    """`hot`: what was asked for. `slots`: where files are that may be changed."""

    size: int
    packed: tuple[tuple[int, bytes], ...] = field(repr=False)  # what is not zeros, and where
    hot: Places
    sums: tuple[Sum, ...] = ()
    slots: tuple[Slot, ...] = ()
    packing: str = ""

    @property
    def data(self) -> bytes:
        data = bytearray(self.size)
        for at, packed in self.packed:
            piece = zlib.decompress(packed)
            data[at : at + len(piece)] = piece
        return bytes(data)


def seed(
    disk: Disk,
    *,
    within: Sequence[tuple[int, int]] | None = None,
    sums: Iterable[Sum] = (),
    slots: Iterable[Slot] = (),
    packing: str = "",
) -> GuestSeed:
    """`within`: only these parts of it are changed; without it, any."""
    pieces = ((at, bytes(disk.data[at : at + _PIECE])) for at in range(0, len(disk.data), _PIECE))
    packed = tuple((at, zlib.compress(piece, 1)) for at, piece in pieces if any(piece))
    hot = tuple(asked(disk.data, within))
    return GuestSeed(len(disk.data), packed, hot, tuple(sums), tuple(slots), packing)


def asked(data: bytes, within: Sequence[tuple[int, int]] | None = None) -> list[tuple[int, int]]:
    """What the reader asks for, of long pieces the sectors that are not zeros; each once."""
    found: dict[tuple[int, int], None] = {}
    for start, end in watched(data)[1]:
        if within is None or any(first <= start and end <= last for first, last in within):
            found.update(dict.fromkeys(_pieces(data, start, end)))
    return sorted(found)


def _pieces(data: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    if end - start <= 2 * _UNIT:
        yield start, end
        return
    for at in range(start, end, _UNIT):
        if any(data[at : min(at + _UNIT, end)]):
            yield at, min(at + _UNIT, end)


def watched(data: bytes) -> tuple[GuestFacts, set[tuple[int, int]]]:
    """The facts of a disk, and which bytes were asked for."""
    reads: set[tuple[int, int]] = set()

    class Watching(Source):
        def read(self, offset: int, length: int) -> bytes:
            if length:
                reads.add((offset, offset + length))
            return super().read(offset, length)

    with patch.object(inspect, "Source", Watching):
        facts = inspect.inspect_guest(MemoryReader.of_bytes(bytes(data)))
    return facts, reads
