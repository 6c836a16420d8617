"""Partition tables on raw disks: MBR and GPT."""

from __future__ import annotations

import struct
import uuid
import zlib

from support.hostile.pack import le

LINUX = "0FC63DAF-8483-4772-8E79-3D69D8477DE4"


def mbr(parts, size=1 << 20, code=b""):
    f = bytearray(size)
    f[: len(code)] = code
    for i, (flag, kind, start, n) in enumerate(parts):
        f[446 + 16 * i : 462 + 16 * i] = le(
            "B3sB3sII", flag, b"\0\2\0", kind, b"\xff\xff\xff", start, n
        )
    f[510:512] = b"\x55\xaa"
    return f


def gpt(
    parts,
    size=1 << 20,
    count=128,
    esize=128,
    crc=None,
    hsize=92,
    ecrc=None,
    ent=2,
    backup=True,
    first=34,
):
    N = size // 512
    f = mbr([(0, 0xEE, 1, N - 1)], size)
    e = bytearray(128 * 128)
    for i, (kind, a, b) in enumerate(parts):
        e[i * 128 : i * 128 + 128] = le(
            "16s16sQQQ72s",
            uuid.UUID(kind).bytes_le,
            uuid.UUID(int=i + 1).bytes_le,
            a,
            b,
            0,
            f"p{i + 1}".encode("utf-16-le"),
        )

    def hdr(me, other, at):
        h = bytearray(
            le(
                "8sIIIIQQQQ16sQIII",
                b"EFI PART",
                0x10000,
                hsize,
                0,
                0,
                me,
                other,
                first,
                N - 34,
                uuid.UUID(int=9).bytes_le,
                at,
                count,
                esize,
                zlib.crc32(e) if ecrc is None else ecrc,
            )
        )
        struct.pack_into("<I", h, 16, zlib.crc32(bytes(h)) if crc is None else crc)
        return h

    f[512:604] = hdr(1, N - 1, ent)
    f[1024 : 1024 + len(e)] = e
    if backup:
        f[(N - 33) * 512 : (N - 1) * 512] = e
        f[(N - 1) * 512 : (N - 1) * 512 + 92] = hdr(N - 1, 1, N - 33)
    return f
