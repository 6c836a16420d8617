"""The bytes that tell one format from another, with where they stand in the file."""

from __future__ import annotations

from diskwright._values import Struct
from diskwright.model.image import ImageFormat


class Signature(Struct, frozen=True):
    format: ImageFormat
    offset: int
    magic: bytes
    what: str


SIGNATURES: tuple[Signature, ...] = (
    Signature(ImageFormat.QCOW, 0, b"QFI\xfb\0\0\0\1", "a qcow version 1 header"),
    Signature(ImageFormat.VMDK, 0, b"KDMV", "a sparse VMDK header"),
    Signature(ImageFormat.VMDK, 0, b"COWD", "an ESX COW disk header"),
    Signature(ImageFormat.VHD, 0, b"conectix", "a VHD footer's copy"),
    Signature(ImageFormat.VHDX, 0, b"vhdxfile", "a VHDX file identifier"),
    Signature(ImageFormat.VDI, 64, b"\x7f\x10\xda\xbe", "a VDI header"),
    Signature(ImageFormat.QED, 0, b"QED\0", "a QED header"),
    Signature(ImageFormat.PARALLELS, 0, b"WithoutFreeSpace", "a Parallels header"),
    Signature(ImageFormat.PARALLELS, 0, b"WithouFreSpacExt", "a Parallels header"),
    Signature(ImageFormat.LUKS, 0, b"LUKS\xba\xbe", "a LUKS header"),
    Signature(ImageFormat.ISO, 32769, b"CD001", "an ISO 9660 volume"),
    Signature(ImageFormat.GZIP, 0, b"\x1f\x8b\x08", "a gzip member"),
    Signature(ImageFormat.ZSTD, 0, b"\x28\xb5\x2f\xfd", "a zstd frame"),
    Signature(ImageFormat.ZSTD, 0, b"\x50\x2a\x4d\x18\4\0\0\0", "a pzstd frame"),
    Signature(ImageFormat.XZ, 0, b"\xfd7zXZ\0", "an xz stream"),
    Signature(ImageFormat.ZIP, 0, b"PK\3\4", "a zip archive"),
    Signature(ImageFormat.ZIP, 0, b"PK\5\6", "an empty zip archive"),
)

QCOW_MAGIC = b"QFI\xfb"

VHD_COOKIE = b"conectix"
VHD_FOOTER_BYTES = 512
VHD_OLD_FOOTER_BYTES = 511  # Virtual PC before 2004
VHD_TYPE_FIXED = 2

BZIP2_MAGIC = b"BZh"
BZIP2_LEVELS = b"123456789"
BZIP2_BLOCKS = (b"1AY&SY", b"\x17\x72\x45\x38\x50\x90")  # a block, or the end of an empty stream

# ECMA-167 section 2/9: descriptors of 2 KiB from 32 KiB on, until one that is none.
VOLUME_SEQUENCE_START = 32768
VOLUME_SECTOR = 2048
VOLUME_DESCRIPTORS = 64
VOLUME_IDENTIFIERS = (b"BEA01", b"NSR02", b"NSR03", b"TEA01", b"BOOT2", b"CD001", b"CDW02")
UDF_ANCHOR_OFFSET = 256 * VOLUME_SECTOR  # ECMA-167 section 3/8.4.2.1
UDF_ANCHOR_TAG = b"\2\0"
UDF_IDENTIFIERS = (b"NSR02", b"NSR03")

TAR_BLOCK = 512
TAR_MAGIC_OFFSET = 257
TAR_MAGIC = b"ustar"
TAR_ENTRIES = 64

MBR_SIGNATURE_OFFSET = 510
MBR_SIGNATURE = b"\x55\xaa"
MBR_ENTRIES_OFFSET = 446
GPT_SIGNATURE = b"EFI PART"
GPT_OFFSETS = (512, 4096)

TEXT_BYTES = 2048  # a VMDK descriptor shows itself within this
VMDK_VERSION_LINES = (b"version=1", b"version=2", b"version=3")

EXTENSIONS: dict[str, ImageFormat] = {
    ".raw": ImageFormat.RAW,
    ".qcow2": ImageFormat.QCOW2,
    ".qcow": ImageFormat.QCOW2,
    ".vmdk": ImageFormat.VMDK,
    ".vhd": ImageFormat.VHD,
    ".vpc": ImageFormat.VHD,
    ".vhdx": ImageFormat.VHDX,
    ".vdi": ImageFormat.VDI,
    ".qed": ImageFormat.QED,
    ".hds": ImageFormat.PARALLELS,
    ".hdd": ImageFormat.PARALLELS,
    ".iso": ImageFormat.ISO,
    ".ova": ImageFormat.OVA,
    ".gz": ImageFormat.GZIP,
    ".zst": ImageFormat.ZSTD,
    ".xz": ImageFormat.XZ,
    ".bz2": ImageFormat.BZIP2,
    ".zip": ImageFormat.ZIP,
    ".tar": ImageFormat.TAR,
    ".ovf": ImageFormat.OVA,
}
SECOND_MEANINGS: dict[str, ImageFormat] = {".qcow": ImageFormat.QCOW}  # of an extension
