"""What an image file says of itself: facts, nothing judged."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ImageFormat(StrEnum):
    """Names of formats as `-O` and reports spell them."""

    RAW = "raw"
    QCOW2 = "qcow2"
    QCOW = "qcow"
    VMDK = "vmdk"
    VHD = "vhd"
    VHDX = "vhdx"
    VDI = "vdi"
    QED = "qed"
    LUKS = "luks"
    ISO = "iso"
    GZIP = "gzip"
    ZSTD = "zstd"
    XZ = "xz"
    BZIP2 = "bzip2"
    ZIP = "zip"
    OVA = "ova"


@dataclass(frozen=True, slots=True)
class FileIdentity:
    """Which file it was, and in which state: taken at detection, checked again before a commit."""

    path: str  # absolute
    device: int
    inode: int
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Problem:
    """Damage or a lie that leaves the bytes readable. `code` is a short stable name."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """Of one image file. `virtual_size` is what the guest sees, a multiple of 512 bytes."""

    format: ImageFormat
    virtual_size: int
    file_size: int
    exact_size: int  # the source's own size: differs from virtual_size for an odd raw file
    allocated: int | None = None  # bytes that the file takes on its disk
    cluster_size: int | None = None
    version: int | None = None
    compressed: bool | None = None
    snapshots: int = 0
    features: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
