"""Decompression, block by block and bounded in memory: of packed images, kernels and initramfs.

The magics are those of the kernel's lib/decompress.c.
"""

from __future__ import annotations

import bz2
import lzma
import sys
from collections.abc import Callable, Iterator
from typing import Protocol

import lz4.block

from diskwright.formats import deflate
from diskwright.formats.limits import UNPACK_XZ_BYTES, UNPACK_ZSTD_WINDOW_LOG
from diskwright.formats.packed.feed import Feed

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

BLOCK = 1 << 20
LZ4_LEGACY_MAGIC = b"\x02\x21\x4c\x18"
LZ4_BLOCK = 8 << 20  # the legacy frame's block, decompressed

_MAGICS = (
    (b"\x1f\x8b", "gzip"),
    (b"\x1f\x9e", "gzip"),
    (b"\xfd7zXZ\0", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (LZ4_LEGACY_MAGIC, "lz4"),
    (b"BZh", "bzip2"),
    (b"\x5d\0\0", "lzma"),
    (b"\x89LZO", "lzo"),
)
MAGIC_BYTES = 6

_CHECKSUM_WORDS = (
    "Incorrect checksum",
    "doesn't match checksum",
)
_MEMORY_WORDS = ("Memory usage limit", "too much memory")


class CodecError(Exception):
    """The stream is damaged."""


class CodecTruncated(CodecError):
    """It ends early."""

    def __init__(self) -> None:
        super().__init__("the stream ends early")


class CodecChecksum(CodecError):
    """It can be read, and is not what was packed. xz and bzip2 don't tell this from damage."""


class CodecUnsupported(Exception):
    """The form is known and not read; the text is its name, or what it wants."""


class _Decoder(Protocol):
    """What lzma, bz2 and zstd have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = ..., /) -> bytes: ...


def sniff(head: bytes) -> str | None:
    """The form that begins with `head` (of `MAGIC_BYTES` bytes); None for none that is known."""
    return next((name for magic, name in _MAGICS if head.startswith(magic)), None)


def decompress(name: str, feed: Feed) -> Iterator[bytes]:
    """The content of the one stream that `feed` stands at, in blocks of at most 8 MiB.

    Afterwards the feed stands behind that stream. Raises CodecError where it is damaged or cut
    short, CodecUnsupported for a form that is not read.
    """
    if name == "gzip":
        return _gzip(feed)
    if name == "lz4":
        return _lz4_legacy(feed)
    if name in _MAKERS:
        return _incremental(_MAKERS[name], feed)
    raise CodecUnsupported(name)


def _zstd_decoder() -> _Decoder:
    options = {int(zstd.DecompressionParameter.window_log_max): UNPACK_ZSTD_WINDOW_LOG}
    decoder: _Decoder = zstd.ZstdDecompressor(options=options)
    return decoder


_MAKERS: dict[str, Callable[[], _Decoder]] = {
    "xz": lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=UNPACK_XZ_BYTES),
    "lzma": lambda: lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=UNPACK_XZ_BYTES),
    "bzip2": bz2.BZ2Decompressor,
    "zstd": _zstd_decoder,
}


def _incremental(make: Callable[[], _Decoder], feed: Feed) -> Iterator[bytes]:
    decoder = make()
    try:
        while not decoder.eof:
            data = feed.take_block() if decoder.needs_input else b""
            if decoder.needs_input and not data:
                raise CodecTruncated
            out = decoder.decompress(data, BLOCK)
            if out:
                yield out
    except (lzma.LZMAError, OSError, zstd.ZstdError) as error:
        raise _meaning(str(error)) from error
    feed.give_back(decoder.unused_data)


def _gzip(feed: Feed) -> Iterator[bytes]:
    decoder = deflate.gzip_member()
    pending = b""
    try:
        while not decoder.eof:
            pending = pending or feed.take_block()
            if not pending:
                raise CodecTruncated
            out = decoder.decompress(pending, BLOCK)
            pending = decoder.unconsumed_tail
            if out:
                yield out
    except deflate.Error as error:
        raise _meaning(str(error)) from error
    feed.give_back(decoder.unused_data)


def _meaning(said: str) -> CodecError | CodecUnsupported:
    """The libraries tell their errors apart by words only."""
    if any(words in said for words in _CHECKSUM_WORDS):
        return CodecChecksum(said)
    if any(words in said for words in _MEMORY_WORDS):
        return CodecUnsupported("a window that takes too much memory")
    if "Dictionary mismatch" in said:
        return CodecUnsupported("a dictionary that is not in it")
    return CodecError(said)


def _lz4_legacy(feed: Feed) -> Iterator[bytes]:
    """Blocks of u32 length and data; it has no end mark but the next magic, zeros or the end."""
    feed.take(len(LZ4_LEGACY_MAGIC))
    while True:
        head = feed.peek(4)
        length = int.from_bytes(head, "little")
        if head == LZ4_LEGACY_MAGIC:
            feed.take(4)
            continue
        if len(head) < 4 or length == 0:
            return
        if length > lz4_bound(LZ4_BLOCK):
            return  # something else begins here
        feed.take(4)
        data = feed.take(length)
        if len(data) < length:
            raise CodecTruncated
        try:
            yield lz4.block.decompress(data, uncompressed_size=LZ4_BLOCK)
        except lz4.block.LZ4BlockError as error:
            raise CodecError(str(error)) from error


def lz4_bound(length: int) -> int:
    """The most bytes that lz4 makes of `length` (LZ4_COMPRESSBOUND)."""
    return length + length // 255 + 16
