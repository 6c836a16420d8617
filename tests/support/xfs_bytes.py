"""A small XFS of one allocation group, byte by byte, for disks that no tool would make.

Blocks of 1 KiB, two inodes in each; inodes from block 8 on, directories and files from block 64 on,
the log in blocks 200 to 231.
"""

from __future__ import annotations

import struct
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from diskwright.formats.crc32c import crc32c
from diskwright.guest.filesystems.xfs import XfsFs, open_xfs
from diskwright.guest.reading import Unreadable
from diskwright.guest.source import Source
from support.guest_disks import source_of

BLOCK = 1024
BLOCKS = 256
INODE = 512
ROOT = 16
LOG, LOG_BLOCKS = 200, 32
ID = uuid.UUID("5d1c0de0-0001-4a11-9000-0000000000a1")
DIR, FILE, LINK = 0o40755, 0o100644, 0o120777
LOCAL, EXTENTS, BTREE = 1, 2, 3


def summed(data: bytes, at: int) -> bytes:
    """With its checksum."""
    register = crc32c(0xFFFFFFFF, data[:at] + bytes(4) + data[at + 4 :])
    return data[:at] + struct.pack("<I", register ^ 0xFFFFFFFF) + data[at + 4 :]


def extent(logical: int, block: int, count: int, *, unwritten: bool = False) -> bytes:
    high = unwritten << 63 | logical << 9 | block >> 43
    return struct.pack(">QQ", high, (block & (1 << 43) - 1) << 21 | count)


@dataclass
class Xfs:
    """`version` 4 or 5. It begins with an empty root directory and a clean log."""

    version: int = 5
    data: bytearray = field(default_factory=lambda: bytearray(BLOCKS * BLOCK))

    def __post_init__(self) -> None:
        self.superblock()
        self.short_directory(ROOT, {})
        self.log([(1, True)])

    def source(self) -> Source:
        return source_of(bytes(self.data))

    def superblock(self, *changes: tuple[int, str, int]) -> None:
        """With each of `changes` (byte, format, value) made, under a right checksum."""
        number = self.version | (0xB0A0 if self.version == 5 else 0xB080)
        raw = bytearray(512)
        struct.pack_into(">4sIQ", raw, 0, b"XFSB", BLOCK, BLOCKS)
        raw[32:48] = ID.bytes
        struct.pack_into(">QQ", raw, 48, LOG, ROOT)
        struct.pack_into(">II", raw, 84, BLOCKS, 1)
        struct.pack_into(">I4H", raw, 96, LOG_BLOCKS, number, 512, INODE, BLOCK // INODE)
        raw[108:112] = b"root"
        raw[120:125] = bytes([10, 9, 9, 1, 8])
        struct.pack_into(">Q", raw, 144, 100)
        struct.pack_into(">I", raw, 200, 0x28A)
        struct.pack_into(">I", raw, 216, 0x3 if self.version == 5 else 0)
        for at, form, value in changes:
            struct.pack_into(form, raw, at, value)
        self.data[:512] = summed(bytes(raw), 224) if self.version == 5 else raw

    def inode(
        self,
        number: int,
        mode: int,
        form: int,
        fork: bytes,
        size: int,
        *changes: tuple[int, str, int],
    ) -> None:
        start = 176 if self.version == 5 else 100
        raw = bytearray(INODE)
        struct.pack_into(">2sHBB", raw, 0, b"IN", mode, 3 if self.version == 5 else 2, form)
        struct.pack_into(">Q", raw, 56, size)
        struct.pack_into(">I", raw, 76, len(fork) // 16 if form == EXTENTS else 0)
        struct.pack_into(">Q16s", raw, 152, number, ID.bytes)
        raw[start:INODE] = fork.ljust(INODE - start, b"\0")[: INODE - start]
        for at, how, value in changes:
            struct.pack_into(how, raw, at, value)
        place = number * INODE
        whole = summed(bytes(raw), 100) if self.version == 5 else raw
        self.data[place : place + INODE] = whole

    def short_directory(self, number: int, names: dict[bytes, int]) -> None:
        fork = struct.pack(">BBI", len(names), 0, ROOT)
        for name, inode in names.items():
            fork += struct.pack(">BH", len(name), 96) + name + b"\1" + struct.pack(">I", inode)
        self.inode(number, DIR, LOCAL, fork, len(fork))

    def directory_block(self, block: int, owner: int, entries: bytes, magic: bytes = b"") -> None:
        """`entries` stand behind the header; what they leave is unused."""
        start = 64 if self.version == 5 else 16
        raw = bytearray(BLOCK)
        raw[:4] = magic or (b"XDD3" if self.version == 5 else b"XD2D")
        struct.pack_into(">Q", raw, 40, owner)
        raw[start : start + len(entries)] = entries
        rest = start + len(entries)
        if rest < BLOCK:
            struct.pack_into(">HH", raw, rest, 0xFFFF, BLOCK - rest)
            struct.pack_into(">H", raw, BLOCK - 2, rest)
        self.put(block, summed(bytes(raw), 4) if self.version == 5 else bytes(raw))

    def entry(self, name: bytes, inode: int, offset: int, *, tag: int | None = None) -> bytes:
        raw = struct.pack(">QB", inode, len(name)) + name + b"\1"
        raw += bytes(-(len(raw) + 2) % 8)
        return raw + struct.pack(">H", offset if tag is None else tag)

    def tree_block(self, block: int, owner: int, level: int, records: bytes, count: int) -> None:
        start = 72 if self.version == 5 else 24
        raw = bytearray(BLOCK)
        magic = b"BMA3" if self.version == 5 else b"BMAP"
        struct.pack_into(">4sHH", raw, 0, magic, level, count)
        struct.pack_into(">Q", raw, 56, owner)
        at = start + (BLOCK - start) // 16 * 8 if level else start
        raw[at : at + len(records)] = records
        self.put(block, summed(bytes(raw), 64) if self.version == 5 else bytes(raw))

    def tree_root(self, level: int, *blocks: int) -> bytes:
        """The data fork of an inode with a tree."""
        room = (INODE - (176 if self.version == 5 else 100) - 4) // 16
        pointers = struct.pack(f">{len(blocks)}Q", *blocks)
        return struct.pack(">HH", level, len(blocks)) + bytes(room * 8) + pointers

    def put(self, block: int, data: bytes) -> None:
        self.data[block * BLOCK : block * BLOCK + len(data)] = data

    def log(self, records: list[tuple[int, bool]], *, written: int = 0) -> None:
        """Records of two log blocks each, (cycle, of an unmount); behind them is cycle
        `written`."""
        count = LOG_BLOCKS * BLOCK // 512
        blocks = [struct.pack(">I", written).ljust(512, b"\0") for _ in range(count)]
        for i, (cycle, unmount) in enumerate(records):
            head = struct.pack(">4sIII", b"\xfe\xed\xba\xbe", cycle, 2, 512)
            head = head.ljust(40, b"\0") + struct.pack(">I", 1)
            blocks[2 * i] = (head.ljust(320, b"\0") + struct.pack(">I", 32768)).ljust(512, b"\0")
            flags = 0x20 if unmount else 0x01
            blocks[2 * i + 1] = struct.pack(">IIBB", cycle, 8, 0xAA, flags).ljust(512, b"\0")
        self.put(LOG, b"".join(blocks))


def opened(disk: Xfs, source: Source | None = None) -> XfsFs:
    fs = open_xfs(source or disk.source())
    assert fs is not None
    return fs


def refusal(do: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(Unreadable) as caught:
        do()
    return caught.value.code, caught.value.detail
