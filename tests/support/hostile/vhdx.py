"""VHDX: the header area only; the region table names BAT and metadata."""

from __future__ import annotations

import struct
import uuid
from functools import cache

from support.hostile.pack import le


@cache
def crc32c(b):
    c = 0xFFFFFFFF
    for x in b:
        c ^= x
        for _ in range(8):
            c = (c >> 1) ^ (0x82F63B78 if c & 1 else 0)
    return c ^ 0xFFFFFFFF


BATG, METAG = (
    uuid.UUID("2DC27766-F623-4200-9D64-115E9BFD4A08"),
    uuid.UUID("8B7CA206-4790-4B9A-B8FE-575F050F886E"),
)


def vhdx(
    size=8 << 20,
    block=1 << 20,
    bad_header_crc=0,
    log_guid=0,
    regions=None,
    bad_region_crc=0,
    seqs=(1, 2),
    sector=512,
    meta_len=None,
    has_parent=0,
    sig=b"vhdxfile",
    extra_items=(),
):
    f = bytearray(4 << 20)
    f[:8] = sig
    f[8:40] = "diskwright".encode("utf-16-le").ljust(32, b"\0")
    for i, q in enumerate(seqs):
        h = bytearray(
            le(
                "4sIQ16s16s16sHHIQ",
                b"head",
                0,
                q,
                b"\x41" * 16,
                b"\x42" * 16,
                (b"\x43" if log_guid else b"\0") * 16,
                0,
                1,
                1 << 20,
                1 << 20,
            ).ljust(4096, b"\0")
        )
        struct.pack_into("<I", h, 4, crc32c(bytes(h)) ^ bad_header_crc)
        o = 65536 * (i + 1)
        f[o : o + 4096] = h
    rs = regions or [(BATG, 3 << 20, 1 << 20, 1), (METAG, 2 << 20, 1 << 20, 1)]
    r = bytearray(
        le("4sIII", b"regi", 0, len(rs), 0)
        + b"".join(g.bytes_le + le("QII", o, n, k) for g, o, n, k in rs)
    ).ljust(65536, b"\0")
    struct.pack_into("<I", r, 4, crc32c(bytes(r)) ^ bad_region_crc)
    f[196608:262144] = r
    f[262144:327680] = r
    items = [
        ("CAA16737-FA36-4D43-B3B6-33F0AA44E76B", le("II", block, 2 if has_parent else 0), 4),
        ("2FA54224-CD1B-4876-B211-5DBED83BF4B8", le("Q", size), 6),
        ("BECA12AB-B2E6-4523-93EF-C309E000C746", b"\x51" * 16, 6),
        ("8141BF1D-A96F-4709-BA47-F233A8FAAB5F", le("I", sector), 6),
        ("CDA348C7-445D-4471-9CC9-E9885251C556", le("I", sector), 6),
        *extra_items,
    ]
    m = bytearray(le("8sHH", b"metadata", 0, len(items)).ljust(32, b"\0"))
    o = 65536
    body = bytearray()
    for g, d, fl in items:
        m += uuid.UUID(g).bytes_le + le(
            "IIII", o + len(body), len(d) if meta_len is None else meta_len, fl, 0
        )
        body += d.ljust(-(-len(d) // 8) * 8, b"\0")
    f[2 << 20 : (2 << 20) + len(m)] = m
    f[(2 << 20) + o : (2 << 20) + o + len(body)] = body
    return bytes(f)
