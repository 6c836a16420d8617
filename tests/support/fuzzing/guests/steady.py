"""Takes out of file systems what their makers take from clock and chance: the same bytes again."""

from __future__ import annotations

import struct
import time
from collections.abc import Iterable

from support.fuzzing.guests import sums
from support.fuzzing.guests.tree import TIME

_EXT_SUPER_TIMES = (0x2C, 0x30, 0x40, 0x108)  # mounted, written, checked, made
JBD2 = b"\xc0\x3b\x39\x98"
COMMIT = 2
_NTFS_EPOCH = 11_644_473_600  # seconds from 1601 to 1970
_FIXED = bytes.fromhex("d15c0000000040008000000000000001")
_SUPER, _NODE = 65536, 4096  # of btrfs
_READ = (1, 3, 5, 6)  # trees: roots, chunks, files, root folder
_FILES = 5
_INODE_ITEM, _INODE_REF, _DIR_ITEM, _DIR_INDEX, _ROOT_ITEM = 1, 12, 84, 96, 132


def ext(data: bytearray) -> None:
    """Times of the superblock and the inodes; commits of the journal. The checksums of inodes
    become zero, as nobody but the kernel looks at them."""
    for at in _EXT_SUPER_TIMES:
        struct.pack_into("<I", data, 1024 + at, TIME)
    blocks, first, log = (struct.unpack_from("<I", data, 1024 + at)[0] for at in (4, 20, 24))
    per_group, inodes = (struct.unpack_from("<I", data, 1024 + at)[0] for at in (32, 40))
    size = struct.unpack_from("<H", data, 1024 + 88)[0] or 128
    wide = struct.unpack_from("<H", data, 1024 + 254)[0] or 32
    block = 1024 << log
    for group in range(-(-(blocks - first) // per_group)):
        (table,) = struct.unpack_from("<I", data, (first + 1) * block + group * wide + 8)
        for number in range(inodes):
            _ext_times(data, table * block + number * size, size)
    for at in range(0, len(data) - 64, block):
        if data[at : at + 4] == JBD2 and struct.unpack_from(">I", data, at + 4)[0] == COMMIT:
            struct.pack_into(">QI", data, at + 48, TIME, 0)


def _ext_times(data: bytearray, at: int, size: int) -> None:
    if not any(data[at : at + 4]):
        return
    struct.pack_into("<III", data, at + 8, TIME, TIME, TIME)
    data[at + 124 : at + 126] = bytes(2)
    if size > 148:
        data[at + 130 : at + 132] = bytes(2)
        struct.pack_into("<IIIII", data, at + 132, 0, 0, 0, TIME, 0)


def xfs(data: bytearray) -> None:
    """Times and generations of all inodes, version 4 or 5."""
    for at in range(0, len(data), 256):
        if data[at : at + 2] != b"IN" or data[at + 4] not in (2, 3):
            continue
        data[at + 32 : at + 56] = bytes(24)
        data[at + 92 : at + 96] = bytes(4)
        if data[at + 4] == 3:
            data[at + 144 : at + 152] = bytes(8)
            sums.xfs(data, sums.Sum("xfs", at, 512, 100))


def btrfs(data: bytearray) -> None:
    """Ids of the device, of trees and of the chunk tree, all times, and the numbers of inodes,
    which mkfs.btrfs takes from the folder that it copies. Trees that nobody reads become zeros."""
    fsid = data[_SUPER + 32 : _SUPER + 48]
    nodes = [at for at in range(0, len(data), _NODE) if data[at + 32 : at + 48] == fsid]
    nodes.remove(_SUPER)
    for at in [at for at in nodes if struct.unpack_from("<Q", data, at + 88)[0] not in _READ]:
        data[at : at + _NODE] = bytes(_NODE)
        nodes.remove(at)
    _btrfs_ids(data, nodes)
    leaves = [at for at in nodes if not data[at + 100]]
    _renumber(data, [at for at in nodes if struct.unpack_from("<Q", data, at + 88)[0] == _FILES])
    for node in leaves:
        items = list(_items(data, node))
        behind, first = node + 101 + 25 * len(items), min((at for at, _, _ in items), default=0)
        if first > behind:
            data[behind:first] = bytes(first - behind)
        for at, kind, _ in items:
            if kind in (_DIR_ITEM, _DIR_INDEX):
                data[at + 17 : at + 25] = bytes(8)
            if kind in (_INODE_ITEM, _ROOT_ITEM):
                data[at + 112 : at + 160] = bytes(48)
            if kind == _ROOT_ITEM:
                data[at + 327 : at + 375] = bytes(48)
    for at in (*nodes, _SUPER):
        data[at : at + 32] = bytes(32)
        if not struct.unpack_from("<H", data, _SUPER + 196)[0]:  # else its sums are not checked
            sums.btrfs(data, sums.Sum("btrfs", at, _NODE, 0))


def _btrfs_ids(data: bytearray, nodes: list[int]) -> None:
    ids = [bytes(data[_SUPER + 201 + 66 :][:16])]
    ids += [bytes(data[node + 64 : node + 80]) for node in nodes]
    roots = [at for node in nodes for at, kind, _ in _items(data, node) if kind == _ROOT_ITEM]
    ids += [bytes(data[at + 247 : at + 263]) for at in roots]
    halves = dict.fromkeys(half for one in ids for half in (one[:8], one[8:]) if any(half))
    for number, half in enumerate(halves):
        data[:] = data.replace(half, _FIXED[:7] + bytes([number]))


def _renumber(data: bytearray, nodes: list[int]) -> None:
    """Inodes get their rank: those of a memory file system rise as the files were made."""
    places = []
    for node in nodes:
        places += [at for at, kind, _ in _items(data, node) if kind in (_DIR_ITEM, _DIR_INDEX)]
        keys = [key for _, _, key in _items(data, node)] or _pointers(data, node)
        places += [*keys, *(key + 9 for key in keys if data[key + 8] == _INODE_REF)]
    numbers = {struct.unpack_from("<Q", data, at)[0] for at in places}
    ranks = {n: 257 + rank for rank, n in enumerate(sorted(n for n in numbers if n > 256))}
    for at in places:
        (number,) = struct.unpack_from("<Q", data, at)
        struct.pack_into("<Q", data, at, ranks.get(number, number))


def _items(data: bytearray, node: int) -> Iterable[tuple[int, int, int]]:
    """Of a leaf: where each item begins, its kind, and where its key stands."""
    (count,) = struct.unpack_from("<I", data, node + 96)
    for number in range(0 if data[node + 100] else count):
        key = node + 101 + 25 * number
        _, kind, _, offset, _ = struct.unpack_from("<QBQII", data, key)
        yield node + 101 + offset, kind, key


def _pointers(data: bytearray, node: int) -> list[int]:
    """Of a block above the leaves: where its keys stand."""
    (count,) = struct.unpack_from("<I", data, node + 96)
    return [node + 101 + 33 * number for number in range(count)]


def ntfs(data: bytearray, since: float) -> None:
    """The serial number, and every time that is later than `since` (as time.time())."""
    low, high = (int((t + _NTFS_EPOCH) * 10_000_000) for t in (since - 1, time.time() + 1))
    fixed = struct.pack("<Q", (TIME + _NTFS_EPOCH) * 10_000_000)
    for shift in (0, 4):
        count = (len(data) - shift) // 8
        words = struct.unpack_from(f"<{count}Q", data, shift)
        for at in (shift + 8 * n for n, word in enumerate(words) if low <= word <= high):
            data[at : at + 8] = fixed
    short = (1 << 48) - 1  # the last two bytes of a sector are kept elsewhere
    for at in range(504, len(data), 512):
        if low & short <= int.from_bytes(data[at : at + 6], "little") <= high & short:
            data[at : at + 6] = fixed[:6]
    for boot in (0, len(data) - 512):
        if data[boot + 3 : boot + 7] == b"NTFS":
            data[boot + 72 : boot + 80] = _FIXED[:8]
