"""What an image file says of itself: facts, nothing judged."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from diskwright._values import Struct


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
    PARALLELS = "parallels"
    LUKS = "luks"
    ISO = "iso"
    GZIP = "gzip"
    ZSTD = "zstd"
    XZ = "xz"
    BZIP2 = "bzip2"
    ZIP = "zip"
    TAR = "tar"
    OVA = "ova"


class FileIdentity(Struct, frozen=True):
    """Which file it was, and in which state: taken at detection, checked again before a commit."""

    path: str  # absolute
    device: int
    inode: int
    size: int
    mtime_ns: int


class Problem(Struct, frozen=True):
    """Damage or a lie that leaves the bytes readable. `code` is a short stable name."""

    code: str
    detail: str


class ReferenceKind(StrEnum):
    """What an image names another file for."""

    BACKING = "backing file"
    PARENT = "parent"
    EXTENT = "extent"
    DATA = "data file"


class Reference(Struct, frozen=True):
    """Another file that an image names. `name` is as it stands there: nobody trusts it.

    Bytes that are no UTF-8 are U+FFFD. `format` is what the image says of it, if it says so.
    """

    kind: ReferenceKind
    name: str
    format: ImageFormat | None = None


class Geometry(Struct, frozen=True):
    """Cylinders, heads and sectors a track, as a header tells them."""

    cylinders: int
    heads: int
    sectors: int

    @property
    def size(self) -> int:
        """In bytes."""
        return self.cylinders * self.heads * self.sectors * 512


class VhdSize(StrEnum):
    """Which of its two sizes a VHD has: qemu is told, or it decides by the creator's name."""

    CURRENT_SIZE = "current_size"
    GEOMETRY = "chs"


class ImageFacts(Struct, frozen=True):
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
    subformat: str | None = None  # as its specification names it: streamOptimized, dynamic, ...
    creator: str | None = None  # the program that made it, as its header says
    geometry: Geometry | None = None
    vhd_size: VhdSize | None = None
    packed_in: ImageFormat | None = None  # what the file itself is: a gzip member, an xz stream
    unpacked_size: int | None = None  # of the image file that is in it
    references: tuple[Reference, ...] = ()  # in the order of the file; only where it was allowed


class DiskFile(Struct, frozen=True):
    """One file of a virtual disk, as a reader is told about it: nothing is left to be probed.

    `offset` and `length` are of the image within the file (a package's member); `length` None goes
    to the end. `shown` is how people know it, where that is not the file's path. Of what is
    `inflated_singly` one reader unpacks one piece at a time.
    """

    identity: FileIdentity
    format: ImageFormat
    offset: int = 0
    length: int | None = None
    vhd_size: VhdSize | None = None
    backing: DiskFile | None = None
    extents: tuple[FileIdentity, ...] = ()  # beside a VMDK descriptor
    inflated_singly: bool = False
    shown: str = ""

    @property
    def name(self) -> str:
        return self.shown or self.identity.path

    @property
    def size(self) -> int:
        """Of the image as it is stored, in bytes."""
        return self.identity.size - self.offset if self.length is None else self.length

    def files(self) -> Iterator[FileIdentity]:
        """Every file that has to be opened, this one first."""
        yield self.identity
        yield from self.extents
        if self.backing is not None:
            yield from self.backing.files()
