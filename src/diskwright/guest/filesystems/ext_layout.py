"""The bytes of ext2, ext3 and ext4: superblock, group descriptor, inode.

Source: the kernel's Documentation/filesystems/ext4, "Super Block", "Block Group Descriptors",
"Index Nodes". All numbers are little-endian.
"""

from __future__ import annotations

import stat
import struct
import uuid
from enum import IntFlag

from diskwright._values import Struct
from diskwright.formats.crc32c import crc32c
from diskwright.guest.filesystems.base import NodeKind
from diskwright.guest.reading import Unreadable, damaged

SUPERBLOCK_OFFSET = 1024
SUPERBLOCK_SIZE = 1024
MAGIC = 0xEF53
ROOT_INODE = 2
INODE_BASE_SIZE = 128  # what an ext2 inode has; later fields stand behind it
BLOCK_FIELD = slice(40, 100)  # i_block: pointers, extent root, short link or inline data


class Compat(IntFlag):
    HAS_JOURNAL = 0x4
    SPARSE_SUPER2 = 0x200
    FAST_COMMIT = 0x400


class Incompat(IntFlag):
    FILETYPE = 0x2
    RECOVER = 0x4
    JOURNAL_DEV = 0x8
    META_BG = 0x10
    EXTENTS = 0x40
    BIT64 = 0x80
    MMP = 0x100
    FLEX_BG = 0x200
    EA_INODE = 0x400
    CSUM_SEED = 0x2000
    LARGEDIR = 0x4000
    INLINE_DATA = 0x8000
    ENCRYPT = 0x10000
    CASEFOLD = 0x20000


class RoCompat(IntFlag):
    SPARSE_SUPER = 0x1
    LARGE_FILE = 0x2
    BTREE_DIR = 0x4
    BIGALLOC = 0x200
    METADATA_CSUM = 0x400


class State(IntFlag):
    VALID = 0x1
    ERROR = 0x2


class InodeFlag(IntFlag):
    ENCRYPT = 0x800
    EXTENTS = 0x80000
    INLINE_DATA = 0x10000000


KNOWN_INCOMPAT = sum(flag for flag in Incompat if flag is not Incompat.JOURNAL_DEV)
EXT3_INCOMPAT = Incompat.FILETYPE | Incompat.RECOVER | Incompat.META_BG
EXT3_RO_COMPAT = RoCompat.SPARSE_SUPER | RoCompat.LARGE_FILE | RoCompat.BTREE_DIR


class Superblock(Struct, frozen=True):
    inodes: int
    blocks: int
    free_blocks: int
    first_data_block: int
    block_size: int
    cluster_blocks: int  # blocks in a cluster: 1 without bigalloc
    blocks_per_group: int
    inodes_per_group: int
    inode_size: int
    descriptor_size: int
    compat: int
    incompat: int
    ro_compat: int
    state: int
    uuid: str
    label: str
    journal_inode: int
    first_meta_group: int
    backup_groups: tuple[int, int]  # sparse_super2: the only groups with a copy
    checksum_right: bool

    @property
    def type(self) -> str:
        """ext2, ext3 or ext4, by the features that blkid(8) goes by."""
        if self.incompat & ~EXT3_INCOMPAT or self.ro_compat & ~EXT3_RO_COMPAT:
            return "ext4"
        return "ext3" if self.compat & Compat.HAS_JOURNAL else "ext2"

    @property
    def size(self) -> int:
        return self.blocks * self.block_size

    @property
    def groups(self) -> int:
        return -(-(self.blocks - self.first_data_block) // self.blocks_per_group)

    @property
    def dirty(self) -> bool:
        clean = self.state & (State.VALID | State.ERROR) == State.VALID
        return not clean or bool(self.incompat & Incompat.RECOVER)

    def has_copy(self, group: int) -> bool:
        """Whether `group` begins with a copy of the superblock."""
        if group == 0:
            return True
        if self.compat & Compat.SPARSE_SUPER2:
            return group in self.backup_groups
        if group == 1 or not self.ro_compat & RoCompat.SPARSE_SUPER:
            return True
        return any(_is_power(group, base) for base in (3, 5, 7))

    def descriptor_place(self, group: int) -> int:
        """The byte at which the descriptor of `group` stands."""
        per_block = self.block_size // self.descriptor_size
        meta = group // per_block
        if self.incompat & Incompat.META_BG and meta >= self.first_meta_group:
            first = meta * per_block
            block = first * self.blocks_per_group + self.first_data_block + self.has_copy(first)
            # Group 0 begins with the superblock's block: with 1 KiB blocks that is block 1,
            # also where first_data_block is 0 (bigalloc).
            if first == 0:
                block = self._table_block
        else:
            block = self._table_block + meta
        return block * self.block_size + group % per_block * self.descriptor_size

    @property
    def _table_block(self) -> int:
        return max(self.first_data_block, SUPERBLOCK_OFFSET // self.block_size) + 1


class GroupDescriptor(Struct, frozen=True):
    inode_table: int  # block
    free_clusters: int


class Inode(Struct, frozen=True):
    number: int
    mode: int
    size: int
    flags: int
    raw: bytes

    @property
    def kind(self) -> NodeKind:
        if stat.S_ISREG(self.mode):
            return NodeKind.FILE
        if stat.S_ISDIR(self.mode):
            return NodeKind.DIR
        return NodeKind.LINK if stat.S_ISLNK(self.mode) else NodeKind.OTHER

    @property
    def block_field(self) -> bytes:
        return self.raw[BLOCK_FIELD]


def is_ext(data: bytes) -> bool:
    """Whether `data`, the superblock's 1024 bytes, has the magic number."""
    return len(data) >= SUPERBLOCK_SIZE and struct.unpack_from("<H", data, 56)[0] == MAGIC


def identity(data: bytes) -> tuple[str, str]:
    """UUID and label: they can be told where the rest can't be read."""
    label = data[120:136].split(b"\0", 1)[0].decode("utf-8", "backslashreplace")
    return str(uuid.UUID(bytes=data[104:120])), label


def parse_superblock(data: bytes) -> Superblock:
    """Every number that others multiply or divide by is checked here."""
    u16 = struct.Struct("<H").unpack_from
    u32 = struct.Struct("<I").unpack_from
    if not is_ext(data):
        raise damaged("no ext superblock")
    compat, incompat, ro_compat = struct.unpack_from("<III", data, 92)
    if incompat & ~KNOWN_INCOMPAT:
        raise Unreadable("unsupported", f"ext features {incompat & ~KNOWN_INCOMPAT:#x}")
    log_block, log_cluster = u32(data, 24)[0], u32(data, 28)[0]
    if log_block > 6:  # 64 KiB
        raise damaged(f"block size 2^{log_block + 10}")
    wide = bool(incompat & Incompat.BIT64)
    bigalloc = bool(ro_compat & RoCompat.BIGALLOC)
    if bigalloc and not log_block <= log_cluster <= 20:
        raise damaged("cluster size")
    own_id, label = identity(data)
    sb = Superblock(
        inodes=u32(data, 0)[0],
        blocks=u32(data, 4)[0] | (u32(data, 336)[0] << 32 if wide else 0),
        free_blocks=u32(data, 12)[0] | (u32(data, 344)[0] << 32 if wide else 0),
        first_data_block=u32(data, 20)[0],
        block_size=1024 << log_block,
        cluster_blocks=1 << log_cluster - log_block if bigalloc else 1,
        blocks_per_group=u32(data, 32)[0],
        inodes_per_group=u32(data, 40)[0],
        inode_size=u16(data, 88)[0] if u32(data, 76)[0] else INODE_BASE_SIZE,
        descriptor_size=u16(data, 254)[0] if wide else 32,
        compat=compat,
        incompat=incompat,
        ro_compat=ro_compat,
        state=u16(data, 58)[0],
        uuid=own_id,
        label=label,
        journal_inode=u32(data, 224)[0],
        first_meta_group=u32(data, 260)[0],
        backup_groups=struct.unpack_from("<II", data, 0x24C),
        checksum_right=not ro_compat & RoCompat.METADATA_CSUM
        or crc32c(0xFFFFFFFF, data[:0x3FC]) == u32(data, 0x3FC)[0],
    )
    _check(sb)
    return sb


def parse_descriptor(data: bytes) -> GroupDescriptor:
    """`data` is one descriptor, 32 bytes or more."""
    table, free = struct.unpack_from("<I", data, 8)[0], struct.unpack_from("<H", data, 12)[0]
    if len(data) >= 64:
        table |= struct.unpack_from("<I", data, 40)[0] << 32
        free |= struct.unpack_from("<H", data, 44)[0] << 16
    return GroupDescriptor(table, free)


def parse_inode(data: bytes, number: int, sb: Superblock) -> Inode:
    mode, size = struct.unpack_from("<H", data, 0)[0], struct.unpack_from("<I", data, 4)[0]
    # Before large_dir the upper half of a directory's size was its ACL.
    if not stat.S_ISDIR(mode) or sb.incompat & Incompat.LARGEDIR:
        size |= struct.unpack_from("<I", data, 108)[0] << 32
    return Inode(number, mode, size, struct.unpack_from("<I", data, 32)[0], data)


def _check(sb: Superblock) -> None:
    sound = (
        _is_two_power(sb.inode_size)
        and INODE_BASE_SIZE <= sb.inode_size <= sb.block_size
        and _is_two_power(sb.descriptor_size)
        and 32 <= sb.descriptor_size <= min(1024, sb.block_size)
        and 0 < sb.blocks_per_group <= 8 * sb.block_size * sb.cluster_blocks
        and 0 < sb.inodes_per_group <= 8 * sb.block_size
        and sb.first_data_block <= 1
        and sb.first_data_block < sb.blocks < 1 << 48
        and sb.inodes <= sb.groups * sb.inodes_per_group
    )
    if not sound:
        raise damaged("the ext superblock contradicts itself")


def _is_two_power(value: int) -> bool:
    return value > 0 and not value & value - 1


def _is_power(value: int, base: int) -> bool:
    power = base
    while power < value:
        power *= base
    return power == value
