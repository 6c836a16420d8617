"""A qcow2 file of one L2 table and one data cluster."""

from __future__ import annotations

import struct

from support.hostile.pack import be


def qcow2(
    size=1 << 20,
    version=3,
    cluster_bits=16,
    backing=b"",
    backing_off=None,
    backing_len=None,
    crypt=0,
    l1_size=None,
    l1_off=None,
    incompat=0,
    compat=0,
    autoclear=0,
    header_length=104,
    exts=(),
    snapshots=0,
    snap_off=0,
    l1=None,
    l2=None,
    data=b"diskwright\n" * 100,
    rc_off=None,
    rc_clusters=1,
    refcount_order=4,
    magic=b"QFI\xfb",
    refs=None,
    extra=b"",
):
    """A whole file, in clusters: header, refcount table, refcount block, L1, L2, data."""
    cb = cluster_bits if 9 <= cluster_bits <= 21 else 16
    cs = 1 << cb
    ents = cs // 8
    n1 = max(1, -(-size // (cs * ents))) if size < 1 << 50 else 1
    l1_size = n1 if l1_size is None else l1_size
    l1_off = 3 * cs if l1_off is None else l1_off
    rc_off = cs if rc_off is None else rc_off
    ext = b"".join(
        be("II", t, len(d) if n is None else n) + d + b"\0" * (-len(d) % 8) for t, d, n in exts
    ) + be("II", 0, 0)
    hl = 104 if version >= 3 else 72
    boff = (hl + len(ext) if backing else 0) if backing_off is None else backing_off
    h = magic + be(
        "IQIIQIIQQIIQ",
        version,
        boff,
        len(backing) if backing_len is None else backing_len,
        cluster_bits,
        size,
        crypt,
        l1_size,
        l1_off,
        rc_off,
        rc_clusters,
        snapshots,
        snap_off,
    )
    if version >= 3:
        h += be("QQQII", incompat, compat, autoclear, refcount_order, header_length)
    f = bytearray(6 * cs)
    f[: len(h)] = h
    b = ext + backing
    f[hl : hl + len(b)] = b
    struct.pack_into(">Q", f, cs, 2 * cs)
    for i, v in enumerate(refs or [1] * 6):
        struct.pack_into(">H", f, 2 * cs + 2 * i, v)
    for i, v in enumerate(l1 if l1 is not None else [4 * cs | 1 << 63]):
        struct.pack_into(">Q", f, 3 * cs + 8 * i, v)
    for i, v in enumerate(l2 if l2 is not None else [5 * cs | 1 << 63]):
        struct.pack_into(">Q", f, 4 * cs + 8 * i, v)
    f[5 * cs : 5 * cs + len(data)] = data
    return bytes(f) + extra
