"""Checksums of a guest's structures: which there are, and put right after a change.

Those are put right that the readers look at: of GPT, of ext's superblock and journal, of XFS, of
btrfs, of LVM. Not: the checksums of ext's inodes, directories and extents, which nobody reads here;
those of btrfs's data; xxHash, SHA-256 and BLAKE2 of btrfs; and the update sequence of NTFS, whose
two bytes a sector a change rarely hits.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from diskwright.formats.crc32c import crc32c
from support.lvm_maker import AREA, crc

_START = 0xFFFFFFFF
_XFS = {b"XFSB": (512, 224), b"XAGF": (512, 216), b"BMA3": (0, 64), b"XSLM": (0, 12)}
_XFS |= dict.fromkeys((b"XDB3", b"XDD3"), (0, 4))


@dataclass(frozen=True)
class Sum:
    """Of the bytes from `start`; the sum stands `at` bytes behind that. `extra` is the kind's."""

    kind: str
    start: int
    length: int
    at: int
    extra: int = 0


def repair(data: bytearray, good: bytes, sums: Iterable[Sum]) -> None:
    """Each of `sums` whose bytes are no longer those of the good disk; cut ones are left.

    The headers of a GPT are always, and of LVM's metadata: what they sum is elsewhere.
    """
    for one in sums:
        end = one.start + one.length
        same = one.kind not in ("gpt", "text") and data[one.start : end] == good[one.start : end]
        if same or end > len(data):
            continue
        FIX[one.kind](data, one)


def _blank(data: bytearray, one: Sum) -> bytes:
    piece = data[one.start : one.start + one.length]
    piece[one.at : one.at + 4] = bytes(4)
    return bytes(piece)


def xfs(data: bytearray, one: Sum) -> None:
    value = crc32c(_START, _blank(data, one)) ^ _START
    struct.pack_into("<I", data, one.start + one.at, value)


def btrfs(data: bytearray, one: Sum) -> None:
    value = crc32c(_START, bytes(data[one.start + 32 : one.start + one.length])) ^ _START
    struct.pack_into("<I", data, one.start, value)


def _ext(data: bytearray, one: Sum) -> None:
    value = crc32c(_START, bytes(data[one.start : one.start + one.at]))
    struct.pack_into("<I", data, one.start + one.at, value)


def _jbd2(data: bytearray, one: Sum) -> None:
    struct.pack_into(">I", data, one.start + one.at, crc32c(one.extra, _blank(data, one)))


def _lvm(data: bytearray, one: Sum) -> None:
    """Of what stands behind the sum itself."""
    behind = bytes(data[one.start + one.at + 4 : one.start + one.length])
    struct.pack_into("<I", data, one.start + one.at, crc(behind))


def _text(data: bytearray, one: Sum) -> None:
    """Of LVM's metadata, wherever the area's header at byte `extra` of the disk says that it is."""
    at, length = struct.unpack_from("<QQ", data, one.extra + 40)
    text = data[one.extra + at :][:length] if max(at, length) < 1 << 20 else b""
    struct.pack_into("<I", data, one.extra + 56, crc(bytes(text)))


def _gpt(data: bytearray, one: Sum) -> None:
    """Of the entries, then of the header; `extra` is the size of a sector."""
    first, count, size = struct.unpack_from("<QII", data, one.start + 72)
    length = min(count * size, 1 << 20)
    table = bytes(data[first * one.extra : first * one.extra + length])
    struct.pack_into("<I", data, one.start + 88, zlib.crc32(table))
    size = min(struct.unpack_from("<I", data, one.start + 12)[0], one.length)
    piece = _blank(data, Sum("", one.start, size, 16)) if size >= 20 else b""
    struct.pack_into("<I", data, one.start + 16, zlib.crc32(piece))


FIX: dict[str, Callable[[bytearray, Sum], None]] = {
    "xfs": xfs,
    "btrfs": btrfs,
    "ext": _ext,
    "jbd2": _jbd2,
    "lvm": _lvm,
    "text": _text,
    "gpt": _gpt,
}


def _right(data: bytearray, one: Sum) -> bool:
    """Whether its sum is right as it stands: what is none has a right one by no chance."""
    if one.start + one.length > len(data):
        return False
    piece = bytearray(data[one.start : one.start + one.length])
    before = bytes(piece)
    FIX[one.kind](piece, Sum(one.kind, 0, one.length, one.at, one.extra))
    return bytes(piece) == before


def gpt_headers(data: bytearray, sector: int) -> list[Sum]:
    places = (sector, len(data) - sector)
    return [Sum("gpt", at, sector, 16, sector) for at in places if data[at : at + 4] == b"EFI "]


def ext_blocks(data: bytearray, start: int) -> list[Sum]:
    """Of the superblock; of a journal its own superblock, descriptors, revokes and commits."""
    found = [Sum("ext", start + 1024, 1024, 0x3FC)]
    block = 1024 << struct.unpack_from("<I", data, start + 1024 + 24)[0]
    seed = 0
    for at in range(start, len(data) - block, block):
        if data[at : at + 4] != b"\xc0\x3b\x39\x98":
            continue
        (kind,) = struct.unpack_from(">I", data, at + 4)
        if kind in (3, 4):
            seed = crc32c(_START, bytes(data[at + 48 : at + 64]))
            found.append(Sum("jbd2", at, 1024, 252, _START))
        else:
            found.append(Sum("jbd2", at, block, 16 if kind == 2 else block - 4, seed))
    return [one for one in found if _right(data, one)]


def xfs_blocks(data: bytearray, start: int, touched: Iterable[int]) -> list[Sum]:
    """`touched`: sectors' first bytes."""
    (block,) = struct.unpack_from(">I", data, start + 4)
    found = []
    for at in touched:
        length, place = _XFS.get(bytes(data[at : at + 4]), (0, 0))
        if data[at : at + 2] == b"IN":
            length, place = 512, 100
        if place:
            found.append(Sum("xfs", at, length or block, place))
    return [one for one in found if _right(data, one)]


def btrfs_blocks(data: bytearray, touched: Iterable[int]) -> list[Sum]:
    """`touched`: where blocks of 4 KiB begin."""
    found = [Sum("btrfs", at, 4096, 0) for at in touched if any(data[at : at + 32])]
    return [one for one in found if _right(data, one)]


def lvm_blocks(data: bytearray, start: int) -> list[Sum]:
    """Of a volume that `support.lvm_maker` made: label, text and the header that names it."""
    at, length = struct.unpack_from("<QQ", data, start + AREA + 40)
    text = [Sum("text", start + AREA + at, length, 0, start + AREA)] if length else []
    return [Sum("lvm", start + 512, 512, 16), *text, Sum("lvm", start + AREA, 512, 0)]
