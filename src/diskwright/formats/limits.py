"""Bounds on what is read of an untrusted image, each above what any honest file holds.

The 32 MiB, 8 MiB, 65,536 and 1 KiB ones are those of QEMU (block/qcow2.h), which reads the file
after us: what lies above them can't be opened anyway.
"""

from __future__ import annotations

from diskwright.model.units import GIB, KIB, MIB

HEAD_BYTES = 1 * MIB  # detection reads this much of the start ...
TAIL_BYTES = 64 * KIB  # ... and this much of the end
SMALLEST_FILE = 512

LARGEST_DISK = (1 << 63) - 1  # bytes that a guest sees; what the tools that read it count to

# Processes that read for us. Each kind ends by itself in seconds; who takes longer hangs.
READER_BYTES = 768 * MIB  # of addresses: interpreter and code take 200 MiB of them
READER_CPU_S = 15  # ten times what the largest honest guest or ISO takes
READER_S = 20.0  # by the clock, also where its disk is slow
GUEST_ANSWER_BYTES = 16 * MIB  # facts of honest guests take some KiB
GUEST_EXAMINED_BYTES = 96 * MIB  # 100,000 packages with long names and versions; 200,000 files
GUEST_FILES_CPU_S = 400  # to digest every file of a guest; the walk itself ends before that
GUEST_FILES_S = 600.0
ISO_ANSWER_BYTES = 64 * MIB  # every entry of a tree at its limit, with paths of 800 bytes
QEMU_NBD_BYTES = 2 * GIB  # of addresses; its threads' stacks and arenas take most of it
QEMU_IMG_BYTES = 4 * GIB  # it writes too
STALL_S = 60.0  # without a byte: disks that spin up, and networks beneath them, take seconds

# Packed images. Up to 192 MiB anything may come out, as honest small test disks have 6,000 times
# their packed size. Above that a disk with 100 MB of system in 40 GiB has 400 times, and deflate
# makes 1,030 times of what is nothing but zeros.
UNPACKED_BYTES = 192 * MIB
UNPACKED_RATIO = 512
# A member costs about 5 us, however little is in it; bgzip's hold 64 KiB each.
UNPACK_MEMBERS = 65_536
UNPACK_MEMBER_BYTES = 4 * KIB  # on average, where there are more
# Processor time: a tenth of what the slowest (bzip2) takes in, and of what any gives out.
UNPACK_S = 30
UNPACK_PACKED_PER_S = 256 * KIB
UNPACK_CONTENT_PER_S = 8 * MIB
# Memory of the decoders: xz -9 takes 65 MiB; zstd's largest window but for --ultra, and the
# kernel's own, is 128 MiB.
UNPACK_XZ_BYTES = 256 * MIB
UNPACK_ZSTD_WINDOW_LOG = 27

CHAIN_DEPTH = 8  # files beneath an image; qemu opens every one of them for each read
EXTENT_FILES = 1_024  # beside a descriptor: 2 TiB in files of 2 GiB

READ_PIECE = 64 * KIB  # a table is read in pieces that stay in the processor's cache

QCOW2_L1_BYTES = 32 * MIB
QCOW2_REFCOUNT_TABLE_BYTES = 8 * MIB
QCOW2_SNAPSHOTS = 65_536
QCOW2_SNAPSHOT_EXTRA_BYTES = 1 * KIB
QCOW2_SNAPSHOT_TABLE_BYTES = 16 * MIB
QCOW2_SNAPSHOT_L1_BYTES = 256 * MIB  # of all snapshots together
QCOW2_BITMAPS = 65_535
QCOW2_BITMAP_DIRECTORY_BYTES = 64 * MIB
QCOW2_EXTENSIONS = 1_024
QCOW2_BACKING_NAME_BYTES = 1_023

# Time: an L2 entry takes about 0.1 us, a table 20 us. All tables of 2 TiB in 64 KiB clusters, or of
# 8 GiB in 512 byte ones, stay within 5 s, as any file made to cost time does.
QCOW2_L2_TABLES = 1 << 18
QCOW2_L2_BYTES = 256 * MIB

# A file's clusters are marked in memory, a byte each; a run of them costs about 0.7 us.
CLAIM_UNITS = 64 * MIB  # 4 TiB in clusters of 64 KiB, 256 GiB in ones of 4 KiB
CLAIM_RUNS = 1_100_000  # 64 GiB in clusters of 64 KiB that lie in no order at all

QED_BACKING_NAME_BYTES = 1_023  # specification
QED_TABLE_BYTES = 8 * MIB  # QEMU writes 256 KiB by default; above it its own sums overflow
QED_L2_BYTES = 128 * MIB  # 1 TiB of data in 64 KiB clusters: 16 million entries, 2 s

# An ISO's entries are read in Python, at some 10 us each: four trees at their limit take 3 s. The
# largest install media have 20,000 entries.
ISO_ENTRIES = 1 << 16  # of one tree
ISO_DEPTH = 128  # directories in one another; ISO 9660 allows 8, Rock Ridge more
ISO_PATH_BYTES = 4_096  # PATH_MAX of Linux: of a path, and of a link's target
ISO_NAME_BYTES = 1_024  # of one name in UTF-8; 255 characters in every tree
ISO_DIRECTORY_BYTES = 16 * MIB  # one directory of 65,536 long names
ISO_TREE_BYTES = 128 * MIB  # all directories of one tree
ISO_TEXT_BYTES = 16 * MIB  # of all paths and links of one tree: 250 for each entry at the limit
ISO_EXTENTS = 1 << 18  # of all files of one tree; a 4 GiB file on UDF has 4
ISO_DESCRIPTORS = 64  # volume descriptors, and UDF's of one sequence
ISO_BOOT_ENTRIES = 64  # one sector of El Torito's catalog
ISO_CONTINUATIONS = 32  # CE areas of one directory record; honest ones have 1
ISO_CONTINUATION_BYTES = 8 * MIB  # of one tree ...
ISO_CONTINUATION_LEAST = 128  # ... where a short one counts as much: each is a read
ISO_LINK_STEPS = 1 << 19  # to see where all links of a tree lead
ISO_LINKS_FOLLOWED = 40  # for one path, as Linux does

# Blocks in a table of VHD, VHDX or VDI, each 0.3 us: 64 TiB in blocks of 32 MiB, 2 TiB in ones of
# 1 MiB. And how many the file has room for, each 4 bytes of memory.
BLOCKS = 1 << 21
BLOCK_PLACES = 1 << 22
VHD_PARENT_NAME_BYTES = 4 * KIB
VHDX_PARENT_LOCATOR_BYTES = 64 * KIB
VHDX_RUNS = 262_144  # between holes of the file, at 2 us each; then whole blocks are read
VHDX_BAT_BYTES = 64 * MIB  # QEMU keeps the whole region in memory, however little is used of it

QCOW_BACKING_NAME_BYTES = 1_023  # as in QEMU
QCOW_L1_BYTES = 32 * MIB
QCOW_L2_BYTES = 128 * MIB  # 64 GiB of data in 4 KiB clusters: 16 million entries, 2 s
QCOW_L2_TABLES = 1 << 17  # 8 us each, however small

PARALLELS_BAT_BYTES = 16 * MIB  # 4 TiB in clusters of 1 MiB

VMDK_DESCRIPTOR_BYTES = 1 * MIB - 1  # QEMU reads no more, and drops the rest without a word
VMDK_LINES = 16_384  # an extent a line, and some dozens
VMDK_EXTENTS = 8_192  # 16 TiB in files of 2 GB
VMDK_SECTORS = 1 << 54  # 2^63 bytes
VMDK_GRAIN_SECTORS = 32_768  # 16 MiB, of which a reader keeps three; by default 64 KiB
VMDK_PACKED_GRAIN_SECTORS = 2_048  # QEMU inflates all of one for each read of some of it
VMDK_DIRECTORY_BYTES = 8 * MIB  # 64 TiB in grains of 64 KiB
VMDK_TABLE_BYTES = 128 * MIB  # in use, and as much of copies: 2 TiB in grains of 64 KiB, 1.2 s
# Places are marked in memory, a byte each: 2 TiB in grains of 64 KiB; of a stream 18 GiB in any
# order, more only in order. A grain out of order costs about 0.5 us: 512 GiB of them take 4 s.
VMDK_PLACES = 36 * MIB
VMDK_OUT_OF_ORDER = 8 * MIB
VMDK_MARKERS = 65_536  # compressed grains whose lengths are read beforehand, at 3 us each

LUKS2_JSON_BYTES = 1 * MIB  # cryptsetup writes some KiB; a text of brackets takes 20 times as much

OVA_MEMBERS = 512  # headers, those of extensions too; a package has some ten members
OVA_NAME_CHARACTERS = 255  # what file systems take
OVA_EXTENSION_BYTES = 8 * KIB  # of a pax header; a name and some attributes
OVA_MANIFEST_BYTES = 1 * MIB  # a line a member
OVF_BYTES = 4 * MIB  # licence texts in several languages take some 100 KiB
OVF_NODES = 100_000  # elements and attributes
OVF_DEPTH = 64
OVF_TEXT_CHARACTERS = 1_024  # of a name, a description, a URI: what is longer is cut
OVF_DISKS = 256  # virtual machines have up to 4 controllers of 64
