"""VHD: the footer, and a dynamic disk around it."""

from __future__ import annotations

import struct

from support.hostile.pack import be


def vhd_footer(
    size=1044480,
    kind=2,
    off=0xFFFFFFFFFFFFFFFF,
    chs=None,
    current=None,
    checksum=None,
    cookie=b"conectix",
    features=2,
    version=0x10000,
    uid=b"\x11" * 16,
):
    c, h, s = chs or (size // 512 // (4 * 17), 4, 17)
    f = bytearray(
        be(
            "8sIIQI4sI4sQQHBBII16sB",
            cookie,
            features,
            version,
            off,
            0x2A000000,
            b"dwrt",
            0x10000,
            b"Wi2k",
            size,
            size if current is None else current,
            c,
            h,
            s,
            kind,
            0,
            uid,
            0,
        ).ljust(512, b"\0")
    )
    struct.pack_into(">I", f, 64, (~sum(f) & 0xFFFFFFFF) if checksum is None else checksum)
    return bytes(f)


def vhd_dynamic(
    size=1044480,
    block=0x10000,
    bat_off=1536,
    entries=None,
    bat=None,
    kind=3,
    parent="",
    locators=(),
    checksum=None,
    footer=None,
    head=None,
    cookie=b"cxsparse",
    data=b"diskwright vhd block\n",
):
    n = -(-size // block) if block else 1
    entries = n if entries is None else entries
    ft = footer or vhd_footer(size, kind, 512)
    d = bytearray(
        be(
            "8sQQIIII16sII512s",
            cookie,
            0xFFFFFFFFFFFFFFFF,
            bat_off,
            0x10000,
            entries,
            block,
            0,
            b"\x22" * 16 if parent else b"\0" * 16,
            0,
            0,
            parent.encode("utf-16-be")[:512],
        )
    )
    for code, text, o in locators:
        d += be("4sIIIQ", code, 512, len(text), 0, o)
    d = bytearray(d.ljust(1024, b"\0"))
    struct.pack_into(">I", d, 36, (~sum(d) & 0xFFFFFFFF) if checksum is None else checksum)
    b = bat if bat is not None else [4]
    f = bytearray((head or ft) + d + b"".join(be("I", x) for x in b).ljust(512, b"\xff"))
    assert len(f) == 2048
    f += b"\xff" * 512 + data.ljust(min(block or 512, 1 << 16), b"\0")
    for _code, text, o in locators:
        f[o : o + len(text)] = text
    return bytes(f) + ft
