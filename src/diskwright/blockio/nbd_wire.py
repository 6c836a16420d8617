"""The bytes of the NBD protocol, as far as a reader needs them; all integers are big-endian.

Source: https://github.com/NetworkBlockDevice/nbd/blob/master/doc/proto.md, whose section names
stand beside what is taken from them.
"""

from __future__ import annotations

import struct

# "Fixed newstyle negotiation": the server speaks first
GREETING = struct.Struct(">8s8sH")  # magic, option magic, handshake flags
MAGIC = b"NBDMAGIC"
OPTION_MAGIC = b"IHAVEOPT"
FLAG_FIXED_NEWSTYLE = 1
FLAG_NO_ZEROES = 2
CLIENT_FLAGS = struct.pack(">I", FLAG_FIXED_NEWSTYLE | FLAG_NO_ZEROES)

# "Option types"
OPTION = struct.Struct(">8sII")  # option magic, option, length of data
OPT_GO = 7
OPT_STRUCTURED_REPLY = 8
OPT_SET_META_CONTEXT = 10

# "Option reply types"
OPTION_REPLY = struct.Struct(">QIII")  # magic, option, reply type, length of data
OPTION_REPLY_MAGIC = 0x0003E889045565A9
REP_ACK = 1
REP_INFO = 3
REP_META_CONTEXT = 4
REP_ERROR_BIT = 1 << 31
MAX_OPTION_REPLY = 64 << 10  # "a server SHOULD NOT send strings longer than 4096 bytes"

INFO_EXPORT = 0
INFO_EXPORT_DATA = struct.Struct(">HQH")  # info type, size, transmission flags
FLAG_SEND_DF = 1 << 7  # "Transmission flags"

CONTEXT = b"base:allocation"
CONTEXT_ID = struct.Struct(">I")

# "Transmission phase"
REQUEST = struct.Struct(">IHHQQI")  # magic, command flags, type, handle, offset, length
REQUEST_MAGIC = 0x25609513
CMD_FLAG_DF = 1 << 2
CMD_READ = 0
CMD_BLOCK_STATUS = 7

CHUNK = struct.Struct(">IHHQI")  # magic, flags, type, handle, length of payload
CHUNK_MAGIC = 0x668E33EF
CHUNK_DONE = 1
CHUNK_NONE = 0
CHUNK_OFFSET_DATA = 1
CHUNK_OFFSET_HOLE = 2
CHUNK_BLOCK_STATUS = 5
CHUNK_ERROR = 0x8001
CHUNK_ERROR_OFFSET = 0x8002

DATA_OFFSET = struct.Struct(">Q")
HOLE = struct.Struct(">QI")  # offset, length
ERROR = struct.Struct(">IH")  # error, length of message
ERROR_OFFSET = struct.Struct(">Q")  # after the message
EXTENT = struct.Struct(">II")  # length, flags
MAX_ERROR = 8 << 10
MAX_BLOCK_STATUS = 2 << 20  # qemu sends at most 1 MiB of descriptors

STATE_HOLE = 1
STATE_ZERO = 2

EIO = 5  # "Error values": the only one that speaks of the medium ...
EINVAL = 22  # ... but qemu 7.2 says so too of a VMDK's grain that can't be unpacked (block/vmdk.c)


def option(number: int, data: bytes) -> bytes:
    return OPTION.pack(OPTION_MAGIC, number, len(data)) + data


def request(command: int, handle: int, offset: int, length: int, *, flags: int = 0) -> bytes:
    return REQUEST.pack(REQUEST_MAGIC, flags, command, handle, offset, length)


def go_data() -> bytes:
    """NBD_OPT_GO and its like: the default export, no further information wanted."""
    return struct.pack(">IH", 0, 0)


def meta_context_data() -> bytes:
    """NBD_OPT_SET_META_CONTEXT: one query on the default export."""
    return struct.pack(">III", 0, 1, len(CONTEXT)) + CONTEXT
