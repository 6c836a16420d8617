"""A package's header as rpm's database keeps it.

rpm's docs/manual/format_header.md, and lib/rpmtag.h for the tags. All numbers are big-endian:

    count of entries (4) | bytes of data (4) | entries of 16 bytes | data
    an entry: tag, type, offset in the data, count of values
"""

from __future__ import annotations

import struct

HEADER = struct.Struct(">II")
ENTRY = struct.Struct(">IIII")

NAME, VERSION, RELEASE, EPOCH, ARCH = 1000, 1001, 1002, 1003, 1022
INT32, STRING = 4, 6
MAX_ENTRIES = 65_536  # rpm's own limit

NO_SOFTWARE = "gpg-pubkey"  # keys that rpm keeps among its packages
