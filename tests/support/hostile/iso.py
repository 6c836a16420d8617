"""ISO 9660 by hand: one volume descriptor set."""

from __future__ import annotations

import struct

from support.hostile.pack import le


def both(fmt, v):
    return struct.pack("<" + fmt, v) + struct.pack(">" + fmt, v)


def direc(name, extent, length, flags=0, su=b""):
    n = 33 + len(name) + (1 - len(name) % 2)
    r = (
        bytes([n + len(su) + (len(su) & 1), 0])
        + both("I", extent)
        + both("I", length)
        + b"\x7e\1\1\0\0\0\0"
        + bytes([flags, 0, 0])
        + both("H", 1)
        + bytes([len(name)])
        + name
    )
    return r.ljust(n, b"\0") + su + b"\0" * (len(su) & 1)


def iso(
    root=None,
    volid=b"DISKWRIGHT",
    pt=None,
    sectors=40,
    boot=None,
    root_extent=20,
    root_len=2048,
    more=None,
):
    f = bytearray(sectors * 2048)

    def pvd(kind=1):
        return (
            bytes([kind])
            + b"CD001\1\0"
            + b" " * 32
            + volid.ljust(32)
            + b"\0" * 8
            + both("I", sectors)
            + b"\0" * 32
            + both("H", 1)
            + both("H", 1)
            + both("H", 2048)
            + both("I", 10)
            + struct.pack("<II", 18, 0)
            + struct.pack(">II", 19, 0)
            + direc(b"\0", root_extent, root_len, 2)
            + b" " * 623
            + b"0" * 16
            + b"\0"
            + b"0" * 16
            + b"\0"
            + b"0" * 16
            + b"\0"
            + b"0" * 16
            + b"\0"
            + b"\1"
        )

    f[16 * 2048 : 16 * 2048 + len(pvd())] = pvd()
    t = 17
    if boot is not None:
        f[t * 2048 : t * 2048 + 75] = b"\0CD001\1EL TORITO SPECIFICATION".ljust(71, b"\0") + le(
            "I", boot
        )
        t += 1
    f[t * 2048 : t * 2048 + 7] = b"\xffCD001\1"
    p = pt or (b"\1\0" + le("I", root_extent) + le("H", 1) + b"\0\0")
    f[(18 if boot is None else 30) * 2048 : (18 if boot is None else 30) * 2048 + len(p)] = p
    r = (
        root
        if root is not None
        else direc(b"\0", root_extent, 2048, 2)
        + direc(b"\1", root_extent, 2048, 2)
        + direc(b"A.TXT;1", 21, 6)
    )
    f[root_extent * 2048 : root_extent * 2048 + len(r)] = r
    f[21 * 2048 : 21 * 2048 + 6] = b"hello\n"
    for at, d in (more or {}).items():
        f[at * 2048 : at * 2048 + len(d)] = d
    return bytes(f)
