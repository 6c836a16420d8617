"""Which formats are recognised, read and written: the README's table is made from this."""

from __future__ import annotations

from diskwright._values import Struct
from diskwright.model.image import ImageFormat


class Support(Struct, frozen=True):
    """One row. Every format here is recognised; `written` says how, and is empty if it is not."""

    format: ImageFormat
    read: bool
    written: str
    note: str


_FORWARD = "one forward pass"
_QEMU = "qemu-img"
_UNPACKED = "one image in it, unpacked first: to 192 MiB or 512 times its size, or --max-unpacked"

SUPPORT: tuple[Support, ...] = (
    Support(
        ImageFormat.RAW,
        True,
        _FORWARD,
        "holes stay holes; an odd size is rounded up to 512 bytes with zeros",
    ),
    Support(
        ImageFormat.QCOW2,
        True,
        _FORWARD,
        "versions 2 and 3, zlib and zstd, extended L2 entries; of internal snapshots the active "
        "state; backing files where their folder is allowed; no data file or encryption",
    ),
    Support(ImageFormat.QCOW, True, "", "version 1 of qcow; no encryption"),
    Support(
        ImageFormat.VMDK,
        True,
        "qemu-img (streamOptimized, monolithicSparse)",
        "monolithicSparse, streamOptimized; flat, split and vmfs disks and parents where their "
        "folder is allowed; no ESX sparse extents (COWD, SESPARSE), devices or encryption",
    ),
    Support(
        ImageFormat.VHD,
        True,
        "one forward pass (fixed), qemu-img (dynamic)",
        "fixed and dynamic; where its size and its geometry differ, the larger that it holds, and "
        "said; of sectors never written what lies in their block, as in QEMU; no differencing disk",
    ),
    Support(
        ImageFormat.VHDX,
        True,
        "qemu-img (dynamic, fixed)",
        "fixed and dynamic, to 2 million blocks; no log to be replayed, no sectors of 4096 bytes, "
        "no differencing disk",
    ),
    Support(
        ImageFormat.VDI,
        True,
        "qemu-img (dynamic, static)",
        "version 1.1, dynamic and static, to 2 TiB; no undo or differencing disk",
    ),
    Support(
        ImageFormat.QED,
        True,
        _QEMU,
        "backing files where their folder is allowed; no tables of one cluster, as in QEMU",
    ),
    Support(ImageFormat.PARALLELS, True, "", "both signatures; no format extensions"),
    Support(ImageFormat.LUKS, False, "", "an encrypted volume; its header is told"),
    Support(
        ImageFormat.ISO,
        True,
        "",
        "ISO 9660 and UDF, also with a partition table: its bytes are the disk's; `iso` reads and "
        "extracts what is in it",
    ),
    Support(
        ImageFormat.OVA,
        True,
        "",
        "a package: each of its disks, read where it lies; digests of its .mf verified before a "
        "disk is converted or prepared; no signature (.cert), no packed disk, no package in it",
    ),
    Support(ImageFormat.GZIP, True, "", _UNPACKED),
    Support(ImageFormat.ZSTD, True, "", _UNPACKED),
    Support(ImageFormat.XZ, True, "", _UNPACKED),
    Support(ImageFormat.BZIP2, True, "", _UNPACKED),
    Support(ImageFormat.ZIP, False, "", "unpack it first"),
    Support(ImageFormat.TAR, False, "", "unpack it first; with an .ovf in it, it is an OVA"),
)

# One stream around one image: unpacked before its content is read
PACKED = frozenset({ImageFormat.GZIP, ImageFormat.ZSTD, ImageFormat.XZ, ImageFormat.BZIP2})
# Files of disk images, each of a format of its own: what holds them is no choice of a disk's format
HOLDERS = PACKED | {ImageFormat.OVA}


def readable_hint() -> str:
    """The hint of every refusal for want of support. It sends nobody to a less careful tool."""
    names = ", ".join(row.format.value for row in SUPPORT if row.read)
    return f"formats that are read: {names}; ask the image's sender for one of them"


def support_table() -> str:
    """The table as Markdown."""
    lines = ["| format | read | written | note |", "|---|---|---|---|"]
    for row in SUPPORT:
        read = "yes" if row.read else "recognised, refused"
        lines.append(f"| {row.format.value} | {read} | {row.written or 'no'} | {row.note} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(support_table())  # noqa: T201 - for the README
