"""The bytes of a jbd2 journal, big-endian.

Source: the kernel's Documentation/filesystems/ext4, "Journal (jbd2)", and include/linux/jbd2.h.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from enum import IntEnum, IntFlag

from diskwright._values import Struct
from diskwright.formats.crc32c import crc32c
from diskwright.guest.reading import Unreadable, damaged

MAGIC = b"\xc0\x3b\x39\x98"
_HEADER = struct.Struct(">4sII")  # magic, block type, sequence
_TAIL = 4  # checksum at the end of descriptor and revoke blocks
_SUPERBLOCK_SIZE = 1024


class BlockType(IntEnum):
    DESCRIPTOR = 1
    COMMIT = 2
    SUPERBLOCK_V1 = 3
    SUPERBLOCK_V2 = 4
    REVOKE = 5


class Incompat(IntFlag):
    REVOKE = 0x1
    BIT64 = 0x2
    CSUM_V2 = 0x8
    CSUM_V3 = 0x10
    FAST_COMMIT = 0x20


class TagFlag(IntFlag):
    ESCAPED = 0x1  # the block began with MAGIC, which was zeroed in the journal
    SAME_UUID = 0x2  # else 16 bytes of UUID follow
    LAST = 0x8


_KNOWN = sum(Incompat)
_CHECKSUMS = Incompat.CSUM_V2 | Incompat.CSUM_V3


class JournalSuperblock(Struct, frozen=True):
    """`start` is the block of the first transaction to replay; 0: there is none."""

    length: int  # blocks
    first: int
    sequence: int
    start: int
    incompat: int
    fast_commit_blocks: int
    seed: int  # of checksums

    @property
    def last(self) -> int:
        """One past the last block of the ring."""
        return self.length - self.fast_commit_blocks

    @property
    def checksums(self) -> bool:
        return bool(self.incompat & _CHECKSUMS)

    @property
    def tag_size(self) -> int:
        if self.incompat & Incompat.CSUM_V3:
            return 16
        size = 12 if self.incompat & Incompat.BIT64 else 8
        return size + 2 if self.incompat & Incompat.CSUM_V2 else size


class Tag(Struct, frozen=True):
    """The next block of the log belongs to `block` of the file system."""

    block: int
    escaped: bool


def parse_superblock(data: bytes, block_size: int) -> JournalSuperblock:
    magic, kind, _ = _HEADER.unpack_from(data)
    if magic != MAGIC or kind not in (BlockType.SUPERBLOCK_V1, BlockType.SUPERBLOCK_V2):
        raise damaged("no journal superblock")
    size, length, first, sequence, start = struct.unpack_from(">5I", data, 12)
    incompat, fast, seed = 0, 0, 0
    if kind == BlockType.SUPERBLOCK_V2:
        incompat = struct.unpack_from(">I", data, 40)[0]
        if incompat & ~_KNOWN:
            raise Unreadable("unsupported", f"journal features {incompat & ~_KNOWN:#x}")
        if incompat & Incompat.FAST_COMMIT:
            fast = struct.unpack_from(">I", data, 84)[0] or 256
        if incompat & _CHECKSUMS:
            seed = crc32c(0xFFFFFFFF, data[48:64])
            stored = struct.unpack_from(">I", data, 252)[0]
            if crc32c(0xFFFFFFFF, _without(data[:_SUPERBLOCK_SIZE], 252)) != stored:
                raise damaged("journal superblock checksum")
    sb = JournalSuperblock(length, first, sequence, start, incompat, fast, seed)
    start_sound = not start or first <= start < sb.last
    if size != block_size or not 0 < first < sb.last or not start_sound:
        raise damaged("the journal superblock contradicts itself")
    return sb


def parse_header(data: bytes) -> tuple[int, int] | None:
    """Block type and sequence; None for a block that is not of the log's own."""
    magic, kind, sequence = _HEADER.unpack_from(data)
    return (kind, sequence) if magic == MAGIC else None


def parse_tags(data: bytes, sb: JournalSuperblock) -> Iterator[Tag]:
    """The tags of a descriptor block."""
    offset = _HEADER.size
    end = len(data) - (_TAIL if sb.checksums else 0)
    while offset + sb.tag_size <= end:
        if sb.incompat & Incompat.CSUM_V3:
            low, flags, high = struct.unpack_from(">III", data, offset)
        else:
            low, _, flags = struct.unpack_from(">IHH", data, offset)
            high = struct.unpack_from(">I", data, offset + 8)[0] if sb.tag_size >= 12 else 0
        if not sb.incompat & Incompat.BIT64:
            high = 0
        yield Tag(low | high << 32, bool(flags & TagFlag.ESCAPED))
        if flags & TagFlag.LAST:
            return
        offset += sb.tag_size + (0 if flags & TagFlag.SAME_UUID else 16)


def parse_revokes(data: bytes, sb: JournalSuperblock) -> Iterator[int]:
    """The blocks of the file system that this and earlier transactions no longer hold."""
    used = struct.unpack_from(">I", data, _HEADER.size)[0]
    if used > len(data) - (_TAIL if sb.checksums else 0):
        raise damaged("journal revoke block")
    width = 8 if sb.incompat & Incompat.BIT64 else 4
    for offset in range(_HEADER.size + 4, used - width + 1, width):
        yield int.from_bytes(data[offset : offset + width], "big")


def checksum_right(data: bytes, kind: int, sb: JournalSuperblock) -> bool:
    """Of a descriptor or revoke block (at its end) or of a commit block (at 16)."""
    if not sb.checksums:
        return True
    at = 16 if kind == BlockType.COMMIT else len(data) - _TAIL
    stored = struct.unpack_from(">I", data, at)[0]
    return bool(crc32c(sb.seed, _without(data, at)) == stored)


def begins_fast_commit(data: bytes, sequence: int) -> bool:
    """Whether `data` is the head of a fast commit that follows transaction `sequence` - 1.

    The tag is EXT4_FC_TAG_HEAD: u16 tag, u16 length, u32 features, u32 transaction, little-endian.
    """
    tag, _, _, transaction = struct.unpack_from("<HHII", data)
    return bool(tag == 9 and transaction == sequence)


def _without(data: bytes, at: int) -> bytes:
    """`data` as it is summed: with its own checksum zero."""
    return data[:at] + bytes(4) + data[at + 4 :]
