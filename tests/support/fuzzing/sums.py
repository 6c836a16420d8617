"""Checksums put right after a change, so that what lies behind them is reached."""

from __future__ import annotations

import hashlib
import struct
import zlib

from support.image_bytes import patched, vhd_summed, vhdx_summed

K = 1024


def gpt(data: bytes) -> bytes:
    if len(data) < 3 * 512:
        return data
    for at in (512, len(data) - 512):
        if data[at : at + 8] != b"EFI PART":
            continue
        start, count, size = struct.unpack_from("<QII", data, at + 72)
        table = data[start * 512 : start * 512 + min(count * size, 1 << 20)]
        data = patched(data, at + 88, "<I", zlib.crc32(table))
        length = min(struct.unpack_from("<I", data, at + 12)[0], 512)
        blank = patched(data, at + 16, "<I", 0)
        data = patched(data, at + 16, "<I", zlib.crc32(blank[at : at + length]))
    return data


def vhd(data: bytes) -> bytes:
    """Of a dynamic disk: the footer's copy at the start, which is then put at the end too."""
    if len(data) < 2048:
        return data
    data = vhd_summed(vhd_summed(data, 0, 512, 64), 512, K, 36)
    return data[:-512] + data[:512]


def vhd_fixed(data: bytes) -> bytes:
    return vhd_summed(data, len(data) - 512, 512, 64) if len(data) >= 512 else data


def vhdx(data: bytes) -> bytes:
    if len(data) < 384 * K:
        return data
    for at, length in ((64 * K, 4 * K), (128 * K, 4 * K), (192 * K, 64 * K)):
        data = vhdx_summed(data, at, length)
    return data[: 256 * K] + data[192 * K : 256 * K] + data[320 * K :]


def luks2(data: bytes) -> bytes:
    size = struct.unpack_from(">Q", data, 8)[0] if len(data) >= 512 else 0
    if not 4096 <= size <= len(data):
        return data
    blank = patched(data, 448, "64s", bytes(64))
    return patched(data, 448, "32s", hashlib.sha256(blank[:size]).digest())


def tar(data: bytes) -> bytes:
    """Of the headers that are found by the sizes that they now have."""
    at = 0
    while at + 512 <= len(data) and data[at : at + 512].strip(b"\0"):
        block = data[at : at + 148] + b" " * 8 + data[at + 156 : at + 512]
        data = patched(data, at + 148, "8s", b"%06o\0 " % sum(block))
        try:
            size = int(data[at + 124 : at + 135].strip(b"\0 ") or b"0", 8)
        except ValueError:
            return data
        if size < 0:
            return data
        at += 512 + -(-size // 512) * 512
    return data


def qcow2_places(data: bytes) -> tuple[tuple[int, int], ...]:
    """Header, tables and snapshots of a good qcow2 file."""
    bits, _size, _crypt, l1_size, l1, rc, _rcs, _snaps, snap = struct.unpack_from(
        ">IQIIQQIIQ", data, 20
    )
    found = [(0, 130), (l1, l1 + 8 * l1_size), (rc, rc + 32)]
    block = struct.unpack_from(">Q", data, rc)[0]
    found.append((block, block + 32))
    for index in range(l1_size):
        table = struct.unpack_from(">Q", data, l1 + 8 * index)[0] & 0x00FFFFFFFFFFFE00
        if table:
            found.append((table, table + min(1 << bits, 512)))
    if snap:
        found.append((snap, snap + 80))
    return tuple(found)
