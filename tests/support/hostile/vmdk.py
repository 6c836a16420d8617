"""VMDK: a sparse extent with its descriptor, and descriptors alone."""

from __future__ import annotations

from support.hostile.pack import le


def vmdk_sparse(
    size_sectors=2048,
    desc=None,
    grain=128,
    gtes=512,
    version=1,
    flags=3,
    desc_sectors=20,
    gd=None,
    rgd=None,
    overhead=128,
    magic=b"KDMV",
    gts=None,
    compress=0,
    tail=b"",
):
    gd = 21 if gd is None else gd
    rgd = gd if rgd is None else rgd
    h = magic + le(
        "IIQQQQIQQQB4sH",
        version,
        flags,
        size_sectors,
        grain,
        1,
        desc_sectors,
        gtes,
        rgd,
        gd,
        overhead,
        0,
        b"\n \r\n",
        compress,
    )
    f = bytearray(h.ljust(512, b"\0"))
    f += (desc if desc is not None else vmdk_desc(f'RW {size_sectors} SPARSE "self.vmdk"')).ljust(
        desc_sectors * 512, b"\0"
    )
    f = f.ljust(21 * 512, b"\0")
    f += le("I", 22).ljust(512, b"\0")
    f += b"".join(le("I", x) for x in (gts or [overhead])).ljust(4 * 512, b"\0")
    return bytes(f.ljust(overhead * 512, b"\0")) + b"diskwright grain\n".ljust(65536, b"\0") + tail


def vmdk_desc(extents, create="monolithicSparse", parent="ffffffff", more="", pad=0):
    return (
        f"# Disk DescriptorFile\nversion=1\nCID=12345678\nparentCID={parent}\n"
        f'createType="{create}"\n{more}\n# Extent description\n{extents}\n\n'
        '# The Disk Data Base\nddb.adapterType = "lsilogic"\nddb.geometry.cylinders = "2"\n'
        'ddb.geometry.heads = "16"\nddb.geometry.sectors = "63"\n' + "#" * pad
    ).encode()
