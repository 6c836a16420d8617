"""Whether an XFS log holds changes that the file system itself does not have yet.

Source: "XFS Algorithms & Data Structures", 3rd edition, chapter "Journaling Log"; how the head is
found is in the kernel's fs/xfs/xfs_log_recover.c. A clean unmount is the last record of its log.

    log        a ring of 512-byte blocks; each begins with the number of the cycle it is of, which
               grows by one where the ring begins anew: so the head is where the number falls
    record     header (magic, cycle, version, length, …), one block and in version 2 more for long
               records, then operations: u32 transaction, u32 length, u8 client, u8 flags, u16
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from diskwright.guest.reading import damaged

LOG_BLOCK = 512

_MAGIC = b"\xfe\xed\xba\xbe"
_VERSION_2 = 0x2
_UNMOUNT = 0x20  # of an operation's flags
_HEADED_BYTES = 32768  # of a record, by one block of header
_MAX_RECORD = 256 * 1024
_FARTHEST = (_MAX_RECORD + _MAX_RECORD // _HEADED_BYTES * LOG_BLOCK) // LOG_BLOCK

ReadBlock = Callable[[int], bytes]


def unmounted_cleanly(read: ReadBlock, blocks: int) -> bool:
    """`read` gives the n-th of the log's blocks. Raises where no record is at the head."""
    if not blocks:
        raise damaged("log without blocks")
    first = _cycle(read(0))
    if not first:
        return True  # never written to
    low, head = 0, blocks  # `low` is of the first block's cycle, `head` is not, or behind the end
    while head - low > 1:
        middle = (low + head) // 2
        if _cycle(read(middle)) == first:
            low = middle
        else:
            head = middle
    for back in range(1, min(_FARTHEST, blocks) + 1):
        start = (head - back) % blocks
        data = read(start)
        if data[:4] == _MAGIC:
            return _ends_with_unmount(data, start, head % blocks, read, blocks)
    raise damaged("no record before the head of the log")


def _ends_with_unmount(data: bytes, start: int, head: int, read: ReadBlock, blocks: int) -> bool:
    version, length = struct.unpack_from(">II", data, 8)
    operations = struct.unpack_from(">I", data, 40)[0]
    size = struct.unpack_from(">I", data, 320)[0] if version & _VERSION_2 else 0
    if max(length, size) > _MAX_RECORD:
        raise damaged("record of the log")
    headers = max(1, -(-size // _HEADED_BYTES))
    behind = start + headers + -(-length // LOG_BLOCK)
    if operations != 1 or behind % blocks != head:
        return False
    return bool(read((start + headers) % blocks)[9] & _UNMOUNT)


def _cycle(data: bytes) -> int:
    return int(struct.unpack_from(">I", data, 4 if data[:4] == _MAGIC else 0)[0])
