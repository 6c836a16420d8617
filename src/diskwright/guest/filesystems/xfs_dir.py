"""Names in an XFS directory, and the targets of long links.

A directory's hash index and its lists of free room are not needed to read it whole.

Source: "XFS Algorithms & Data Structures", 3rd edition, chapter "Directories".

    short form    count, count of long inodes, parent; then: length, u16, name, type, inode
    data block    header, then: inode, length, name, type, padding to 8, u16 its own offset;
                  or, unused: 0xffff, u16 length, …
    block form    one data block, that ends with its own index: 8 bytes for each, two counts
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from diskwright.guest.filesystems.xfs_layout import Superblock, checksum_right
from diskwright.guest.reading import damaged

INDEX_OFFSET = 32 << 30  # bytes: in files larger than that, what is behind holds no names

_CRC = 4
_OWNER = 40
_HEADER = {4: 16, 5: 64}  # bytes
_DATA_MAGIC = {4: b"XD2D", 5: b"XDD3"}
_BLOCK_MAGIC = {4: b"XD2B", 5: b"XDB3"}
_UNUSED = 0xFFFF
_LINK_MAGIC = b"XSLM"
_LINK_HEADER = 56  # bytes
_LINK_CRC = 12
_LINK_OWNER = 32


def parse_short_form(data: bytes, sb: Superblock) -> Iterator[tuple[bytes, int]]:
    """`data`: the inode's data fork, cut to the directory's size."""
    if len(data) < 6:
        raise damaged("directory in an inode")
    width = 8 if data[1] else 4
    offset = 2 + width
    for _ in range(data[0]):
        if offset + 3 > len(data):
            raise damaged("directory in an inode ends early")
        start = offset + 3
        end = start + data[offset]
        at = end + sb.has_file_types
        offset = at + width
        if offset > len(data):
            raise damaged("directory in an inode ends early")
        yield _name(data[start:end]), int.from_bytes(data[at:offset], "big")
    if offset != len(data):
        raise damaged("directory in an inode is longer than its names")


def parse_block(
    data: bytes, number: int, alone: bool, sb: Superblock
) -> Iterator[tuple[bytes, int]]:
    """Name and inode of every entry but `.` and `..` in one directory block of inode `number`.

    `alone`: it is the only one, and so may be of the block form.
    """
    magic = data[:4]
    if magic != _DATA_MAGIC[sb.version] and not (alone and magic == _BLOCK_MAGIC[sb.version]):
        raise damaged("directory block")
    if sb.has_checksums:
        owner = struct.unpack_from(">Q", data, _OWNER)[0]
        if owner != number or not checksum_right(data, _CRC):
            raise damaged("checksum or owner of a directory block")
    end = len(data)
    if magic == _BLOCK_MAGIC[sb.version]:
        end -= 8 + 8 * struct.unpack_from(">I", data, end - 8)[0]
    offset = _HEADER[sb.version]
    if end < offset:
        raise damaged("index of a directory block")
    while offset < end:
        mark, length = struct.unpack_from(">HH", data, offset)
        used = mark != _UNUSED
        if used:
            name_length = data[offset + 8]
            name_end = offset + 9 + name_length
            length = 9 + name_length + sb.has_file_types + 2 + 7 & ~7
        if not length or length % 8 or offset + length > end:
            raise damaged("directory entry")
        if struct.unpack_from(">H", data, offset + length - 2)[0] != offset:
            raise damaged("directory entry is not where it says")
        if used:
            name = _name(data[offset + 9 : name_end])
            if name not in (b".", b".."):
                yield name, struct.unpack_from(">Q", data, offset)[0]
        offset += length


def link_part(data: bytes, number: int, done: int) -> bytes:
    """What one extent of version 5 has of the target of inode `number`, `done` bytes into it.

    Source: chapter "Symbolic Links", "Extent Symbolic Links".
    """
    offset, count = struct.unpack_from(">II", data, 4)
    owner = struct.unpack_from(">Q", data, _LINK_OWNER)[0]
    if data[:4] != _LINK_MAGIC or not checksum_right(data, _LINK_CRC):
        raise damaged("block of a link")
    if owner != number or offset != done or count > len(data) - _LINK_HEADER:
        raise damaged("block of another link, or of another part")
    return data[_LINK_HEADER : _LINK_HEADER + count]


def _name(name: bytes) -> bytes:
    if not name or b"/" in name or b"\0" in name:
        raise damaged("name in a directory")
    return name
