"""Packed files of every lawful shape, and opening one as the command does."""

from __future__ import annotations

import bz2
import gzip
import lzma
import struct
from collections.abc import Callable

from diskwright.formats.packed.codecs import zstd
from diskwright.model.image import ImageFormat


def _zstd(data: bytes) -> bytes:
    return zstd.compress(data, options={zstd.CompressionParameter.checksum_flag: 1})


PACK: dict[ImageFormat, Callable[[bytes], bytes]] = {
    ImageFormat.GZIP: lambda data: gzip.compress(data, 1, mtime=0),
    ImageFormat.XZ: lambda data: lzma.compress(data, preset=0),
    ImageFormat.ZSTD: _zstd,
    ImageFormat.BZIP2: lambda data: bz2.compress(data, 1),
}
ENDING = {
    ImageFormat.GZIP: ".gz",
    ImageFormat.XZ: ".xz",
    ImageFormat.ZSTD: ".zst",
    ImageFormat.BZIP2: ".bz2",
}


def skippable(payload: bytes, number: int = 0) -> bytes:
    """A zstd frame that holds nothing to unpack (RFC 8878 section 3.1.2)."""
    return struct.pack("<II", 0x184D2A50 + number, len(payload)) + payload
