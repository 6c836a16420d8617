"""VDI: a dynamic disk of two blocks."""

from __future__ import annotations

from support.hostile.pack import le


def vdi(
    size=4 << 20,
    block=1 << 20,
    blocks=None,
    allocated=2,
    bmap=(0, 1, 0xFFFFFFFF, 0xFFFFFFFF),
    kind=1,
    off_bmap=512,
    off_data=1024,
    sig=0xBEDA107F,
    version=0x10001,
    parent=b"\0" * 16,
    cut=None,
):
    h = (
        b"<<< diskwright VDI >>>\n".ljust(64, b"\0")
        + le("IIIII", sig, version, 400, kind, 0)
        + b"\0" * 256
    )
    h += le(
        "IIIIIIIQIIII16s16s16s16s",
        off_bmap,
        off_data,
        0,
        0,
        0,
        512,
        0,
        size,
        block,
        0,
        size // block if blocks is None and block else (blocks or 0),
        allocated,
        b"\x31" * 16,
        b"\x32" * 16,
        b"\0" * 16,
        parent,
    )
    f = (
        h.ljust(512, b"\0")
        + b"".join(le("I", x) for x in bmap).ljust(512, b"\0")
        + b"A" * block
        + b"B" * block
        if block <= 1 << 20
        else h.ljust(2048, b"\0")
    )
    return f if cut is None else f[:cut]
