"""What a gzip, xz, zstd or bzip2 file holds: all of its members, and nothing that belongs to none.

A file of several members, streams or frames holds what they hold one after the other (RFC 1952
section 2.2; the .xz file format, sections 2 and 2.2; RFC 8878 section 3; bzip2(1)).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from diskwright.formats import limits
from diskwright.formats.packed.codecs import (
    CodecChecksum,
    CodecError,
    CodecTruncated,
    CodecUnsupported,
    decompress,
)
from diskwright.formats.packed.feed import Feed
from diskwright.model.image import ImageFormat

_BEGINNINGS = {
    ImageFormat.GZIP: b"\x1f\x8b",
    ImageFormat.XZ: b"\xfd7zXZ\0",
    ImageFormat.ZSTD: b"\x28\xb5\x2f\xfd",
    ImageFormat.BZIP2: b"BZh",
}
# What may follow the last member: xz's stream padding, and the zeros that fill a tape's block,
# which gzip(1) passes over too.
_ZERO_UNITS = {ImageFormat.GZIP: 1, ImageFormat.XZ: 4}

_SKIPPABLE = 0x184D2A50  # RFC 8878 section 3.1.2: to ...5F, then a length of 32 bits
_SKIPPABLE_HEAD = 8


class Unpackable(Exception):
    """Why it can't be read whole: a short name, what is wrong in words, and the byte if known."""

    def __init__(self, code: str, detail: str, offset: int | None = None) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.offset = offset


def content(packing: ImageFormat, feed: Feed) -> Iterator[bytes]:
    """What the whole of `feed` holds, in blocks of at most 1 MiB.

    Raises Unpackable: `truncated`, `compressed-data`, `checksum` and `trailing-data` where it is
    broken, `compressed-container` where it is lawful and not read.
    """
    if packing is ImageFormat.ZSTD:
        _pass_skippable(feed)  # pzstd begins with one
    members = made = 0
    while True:
        begun = feed.consumed
        members += 1
        if members > limits.UNPACK_MEMBERS + made // limits.UNPACK_MEMBER_BYTES:
            detail = f"it has more than {members - 1} members with next to nothing in them"
            raise Unpackable("compressed-container", detail, begun)
        try:
            for block in decompress(packing.value, feed):
                made += len(block)
                yield block
        except CodecTruncated as error:
            raise Unpackable("truncated", str(error), feed.consumed) from error
        except CodecChecksum as error:
            raise Unpackable("checksum", _said(packing, error, begun), begun) from error
        except CodecError as error:
            raise Unpackable("compressed-data", _said(packing, error, begun), begun) from error
        except CodecUnsupported as error:
            raise Unpackable("compressed-container", f"it wants {error}", begun) from error
        if not _another(packing, feed):
            return


def _said(packing: ImageFormat, error: CodecError, begun: int) -> str:
    return f"the {packing.value} data that begins at byte {begun} is damaged: {error}"


def _another(packing: ImageFormat, feed: Feed) -> bool:
    """Whether a further member begins here; False at the end of the file."""
    if packing is ImageFormat.ZSTD:
        _pass_skippable(feed)
    at = feed.consumed
    unit = _ZERO_UNITS.get(packing)
    if unit is not None and feed.skip_zeros() % unit:
        raise Unpackable("trailing-data", "its padding is no multiple of 4 bytes", at)
    magic = _BEGINNINGS[packing]
    head = feed.peek(len(magic))
    if not head:
        return False
    if head != magic:
        if magic.startswith(head):
            raise Unpackable("truncated", "a further member is cut short", feed.consumed)
        raise Unpackable(
            "trailing-data", f"what follows its last {packing.value} data is none", feed.consumed
        )
    return True


def _pass_skippable(feed: Feed) -> None:
    while True:
        head = feed.peek(_SKIPPABLE_HEAD)
        if len(head) < _SKIPPABLE_HEAD:
            return
        magic, length = struct.unpack("<II", head)
        if magic & ~0xF != _SKIPPABLE:
            return
        if feed.skip(_SKIPPABLE_HEAD + length) < _SKIPPABLE_HEAD + length:
            raise Unpackable("truncated", "a skippable frame is cut short", feed.consumed)
