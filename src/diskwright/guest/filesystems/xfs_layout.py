"""XFS on disk: the superblock and the headers of allocation groups (AG).

Source: "XFS Algorithms & Data Structures", 3rd edition, chapter "Allocation Groups"; what came
later is in the kernel's fs/xfs/libxfs/xfs_format.h. Numbers are big-endian, checksums not.

    inode number           | AG | block in the AG (agblklog bits) | inode in the block (inopblog) |
    block number (fsblock) | AG | block in the AG (agblklog bits) |

A *linear* block number counts from the start of the file system, without the gaps that a fsblock
has where an AG is no power of two.
"""

from __future__ import annotations

import struct
import uuid
from enum import IntFlag

from diskwright._values import Struct
from diskwright.formats.crc32c import crc32c
from diskwright.guest.reading import Unreadable, damaged

MAGIC = b"XFSB"
SUPERBLOCK_SIZE = 512  # of the fields; its checksum is of the whole sector
MAX_SECTOR = 32768
AGF_SIZE = 512

_AGF_MAGIC = b"XAGF"
_AGF_SECTOR = 1  # the second sector of each AG
_SUPERBLOCK_CRC = 224
_AGF_CRC = 216
_MAX_BLOCK_LOG = 16
_MIN_AG_BLOCKS = 64


class Version(IntFlag):
    """sb_versionnum, above the four bits of the number itself."""

    DIRV2 = 0x2000
    ASCII_CI = 0x4000
    MOREBITS = 0x8000


class Features2(IntFlag):
    """Of version 4; in version 5 all of them are given."""

    LAZY_COUNTERS = 0x2
    FTYPE = 0x200


class Incompat(IntFlag):
    FTYPE = 0x1
    SPINODES = 0x2
    META_UUID = 0x4
    BIGTIME = 0x8
    NEEDSREPAIR = 0x10
    NREXT64 = 0x20
    EXCHRANGE = 0x40
    PARENT = 0x80
    METADIR = 0x100
    ZONED = 0x200
    ZONE_GAPS = 0x400


_READ = (
    Incompat.FTYPE
    | Incompat.SPINODES
    | Incompat.META_UUID
    | Incompat.BIGTIME
    | Incompat.NREXT64
    | Incompat.EXCHRANGE
    | Incompat.PARENT
    | Incompat.METADIR
)


class Superblock(Struct, frozen=True):
    """`log_start` is a fsblock (0: the log is on another device), the counts are of blocks."""

    version: int  # 4, or 5: metadata has checksums and says whose it is
    block_size: int
    sector_size: int
    inode_size: int
    directory_block_size: int
    blocks: int
    ag_blocks: int
    ags: int
    ag_block_bits: int
    inode_bits: int  # log2 of the inodes in a block
    root_inode: int
    log_start: int
    log_blocks: int
    free_blocks: int
    lazy_counters: bool  # the free blocks here are right only after an unmount
    has_file_types: bool
    ignores_case: bool
    uuid: str
    label: str
    metadata_uuid: bytes  # what blocks and inodes of version 5 name as their file system

    @property
    def size(self) -> int:
        return self.blocks * self.block_size

    @property
    def has_checksums(self) -> bool:
        return self.version == 5

    def linear(self, fsblock: int, count: int = 1) -> int:
        """The linear number of the first of `count` blocks, which are all inside their AG."""
        ag, block = fsblock >> self.ag_block_bits, fsblock & (1 << self.ag_block_bits) - 1
        first = ag * self.ag_blocks + block
        if ag >= self.ags or block + count > self.ag_blocks or first + count > self.blocks:
            raise damaged(f"{count} blocks from {block} on in AG {ag} are not in the file system")
        return first

    def inode_place(self, number: int) -> int:
        """The byte at which an inode stands."""
        block, index = number >> self.inode_bits, number & (1 << self.inode_bits) - 1
        return self.linear(block) * self.block_size + index * self.inode_size

    def agf_place(self, ag: int) -> int:
        return ag * self.ag_blocks * self.block_size + _AGF_SECTOR * self.sector_size


def checksum_right(data: bytes, at: int) -> bool:
    """CRC-32C over all of `data`, its own four bytes at `at` taken as zero."""
    register = crc32c(0xFFFFFFFF, data[:at] + bytes(4) + data[at + 4 :])
    return bool(register ^ 0xFFFFFFFF == struct.unpack_from("<I", data, at)[0])


def parse_superblock(data: bytes) -> Superblock:
    """`data`: as much of its sector as there is. What others multiply or shift by is checked."""
    if data[:4] != MAGIC or len(data) < SUPERBLOCK_SIZE:
        raise damaged("no xfs superblock")
    number, sector_size, inode_size, per_block = struct.unpack_from(">4H", data, 100)
    version = number & 0xF
    if version not in (4, 5):
        raise Unreadable("unsupported", f"xfs version {version}")
    if not _is_two_power(sector_size) or not 512 <= sector_size <= min(MAX_SECTOR, len(data)):
        raise damaged(f"xfs sector size {sector_size}")
    if version == 5 and not checksum_right(data[:sector_size], _SUPERBLOCK_CRC):
        raise damaged("xfs superblock checksum")
    compatible = struct.unpack_from(">I", data, 216)[0] if version == 5 else Incompat(0)
    _refuse_unknown(compatible)
    if version == 4 and not number & Version.DIRV2:
        raise Unreadable("unsupported", "xfs directories of version 1")
    if data[126]:
        raise damaged("the making of this xfs was not finished")
    block_size, blocks = struct.unpack_from(">IQ", data, 4)
    log_start, root = struct.unpack_from(">QQ", data, 48)
    ag_blocks, ags = struct.unpack_from(">II", data, 84)
    block_log, inode_log, inode_bits, ag_block_bits = data[120], *data[122:125]
    directory_log = data[192]
    if block_size != 1 << block_log or block_log + directory_log > _MAX_BLOCK_LOG:
        raise damaged(f"xfs block size {block_size}")
    if inode_size != 1 << inode_log or not 256 <= inode_size <= min(2048, block_size):
        raise damaged(f"xfs inode size {inode_size}")
    if inode_bits != block_log - inode_log or per_block != 1 << inode_bits:
        raise damaged("inodes in a block")
    if ag_blocks < _MIN_AG_BLOCKS or ag_block_bits != (ag_blocks - 1).bit_length():
        raise damaged(f"allocation groups of {ag_blocks} blocks")
    if not ags or not (ags - 1) * ag_blocks < blocks <= ags * ag_blocks:
        raise damaged(f"{ags} allocation groups for {blocks} blocks")
    more = _features2(data) if number & Version.MOREBITS else 0
    own = data[32:48]
    return Superblock(
        version=version,
        block_size=block_size,
        sector_size=sector_size,
        inode_size=inode_size,
        directory_block_size=block_size << directory_log,
        blocks=blocks,
        ag_blocks=ag_blocks,
        ags=ags,
        ag_block_bits=ag_block_bits,
        inode_bits=inode_bits,
        root_inode=root,
        log_start=log_start,
        log_blocks=struct.unpack_from(">I", data, 96)[0],
        free_blocks=struct.unpack_from(">Q", data, 144)[0],
        lazy_counters=version == 5 or bool(more & Features2.LAZY_COUNTERS),
        has_file_types=bool(compatible & Incompat.FTYPE or more & Features2.FTYPE),
        ignores_case=bool(number & Version.ASCII_CI),
        uuid=str(uuid.UUID(bytes=own)),
        label=data[108:120].split(b"\0", 1)[0].decode("utf-8", "backslashreplace"),
        metadata_uuid=data[248:264] if compatible & Incompat.META_UUID else own,
    )


def parse_free_blocks(data: bytes, ag: int, sb: Superblock) -> int:
    """The free blocks of one AG, from its AGF; those count that hold the index of free blocks."""
    if data[:4] != _AGF_MAGIC or struct.unpack_from(">I", data, 8)[0] != ag:
        raise damaged(f"header of AG {ag}")
    if sb.has_checksums and not checksum_right(data, _AGF_CRC):
        raise damaged(f"checksum of the header of AG {ag}")
    in_list, free, _, in_trees = struct.unpack_from(">4I", data, 48)
    return int(in_list + free + in_trees)


def _features2(data: bytes) -> int:
    """With its double: kernels before 2.6.26 wrote it to the wrong place on some machines."""
    right, doubled = struct.unpack_from(">II", data, 200)
    return int(right | doubled)


def _refuse_unknown(incompat: int) -> None:
    if incompat & Incompat.NEEDSREPAIR:
        raise damaged("this xfs is marked as in need of xfs_repair")
    unknown = incompat & ~int(_READ)  # the flag's own complement has known bits only
    if not unknown:
        return
    named = [flag.name.lower() for flag in Incompat if flag & unknown and flag.name]
    rest = unknown & ~sum(Incompat)
    names = ", ".join(named + [f"{rest:#x}"] * bool(rest))
    raise Unreadable("unsupported", f"xfs features {names}")


def _is_two_power(value: int) -> bool:
    return value > 0 and not value & value - 1
