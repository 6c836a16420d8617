"""Directory entries of ext, read in order: the hash tree's own blocks look like empty entries.

Source: the kernel's Documentation/filesystems/ext4, "Directory Entries". An entry is
`u32 inode, u16 length, u8 name length, u8 file type, name`, padded to 4; inode 0 is a gap.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from diskwright.guest.filesystems.ext_layout import INODE_BASE_SIZE, Inode
from diskwright.guest.reading import damaged

_HEAD = struct.Struct("<IHBB")
_XATTR_MAGIC = 0xEA020000
_XATTR_SYSTEM = 7  # the name prefix "system."


def parse_entries(data: bytes) -> Iterator[tuple[bytes, int]]:
    """Name and inode of every entry in one directory block, but `.` and `..`."""
    offset = 0
    while offset + _HEAD.size <= len(data):
        inode, length, name_length, _ = _HEAD.unpack_from(data, offset)
        if length in (0, 65535) and len(data) == 65536:
            length = 65536  # 64 KiB does not fit the field
        if length < _HEAD.size or length % 4 or offset + length > len(data):
            raise damaged("directory entry")
        if inode:
            name = data[offset + _HEAD.size : offset + _HEAD.size + name_length]
            if name_length + _HEAD.size > length or not name or b"/" in name or b"\0" in name:
                raise damaged("name in a directory")
            if name not in (b".", b".."):
                yield name, inode
        offset += length


def parse_inline_entries(data: bytes) -> Iterator[tuple[bytes, int]]:
    """The same of a directory in its inode: 4 bytes of parent, 56 of entries, the rest behind."""
    yield from parse_entries(data[4:60])
    yield from parse_entries(data[60:])


def inline_data(inode: Inode) -> bytes:
    """What the inode itself holds: i_block, then the attribute `system.data` behind the fields.

    Source: "Inline Data" and "Extended Attributes" of the same document.
    """
    raw = inode.raw
    if len(raw) < INODE_BASE_SIZE + 8:
        return inode.block_field
    start = INODE_BASE_SIZE + struct.unpack_from("<H", raw, INODE_BASE_SIZE)[0]
    if start + 4 > len(raw) or struct.unpack_from("<I", raw, start)[0] != _XATTR_MAGIC:
        return inode.block_field
    first = offset = start + 4
    while offset + 16 <= len(raw) and raw[offset : offset + 4] != b"\0\0\0\0":
        name_length, prefix, value_at, value_inode, size = struct.unpack_from("<BBHII", raw, offset)
        name = raw[offset + 16 : offset + 16 + name_length]
        if prefix == _XATTR_SYSTEM and name == b"data":
            if value_inode or first + value_at + size > len(raw):
                raise damaged("inline data")
            return inode.block_field + raw[first + value_at : first + value_at + size]
        offset += 16 + (name_length + 3 & ~3)
    return inode.block_field
