"""The names in the first part of a tar archive (POSIX.1-1988 ustar), for telling an OVA."""

from __future__ import annotations

import re
from collections.abc import Iterator

from diskwright.formats.signatures import TAR_BLOCK, TAR_ENTRIES, TAR_MAGIC, TAR_MAGIC_OFFSET
from diskwright.model.units import round_up

_OCTAL = re.compile(rb"\s*([0-7]{1,11})[\0 ]*")


def is_tar(head: bytes) -> bool:
    """Whether a tar header begins `head`, its checksum right."""
    block = head[:TAR_BLOCK]
    told = _OCTAL.fullmatch(block[148:156])
    if len(block) < TAR_BLOCK or not block.startswith(TAR_MAGIC, TAR_MAGIC_OFFSET) or told is None:
        return False
    return int(told[1], 8) == sum(block) - sum(block[148:156]) + 8 * ord(" ")


def names_of_tar(head: bytes) -> Iterator[bytes]:
    """Names of at most TAR_ENTRIES entries that lie in `head`; none where it is no tar archive."""
    at = 0
    for _ in range(TAR_ENTRIES):
        if not head.startswith(TAR_MAGIC, at + TAR_MAGIC_OFFSET):
            return
        yield head[at : at + 100].partition(b"\0")[0]
        size = _OCTAL.fullmatch(head[at + 124 : at + 136])
        if size is None:
            return
        at += TAR_BLOCK + round_up(int(size[1], 8), TAR_BLOCK)
