"""cpio archives of the "new ASCII" form, as the kernel unpacks them.

Layout (kernel, Documentation/driver-api/early-userspace/buffer-format.rst): a header of 110 bytes:
magic `070701` or `070702`, then 13 fields of 8 hex digits; the name with its zero byte; zeros up
to a multiple of 4; the content; zeros up to a multiple of 4. An entry `TRAILER!!!` ends it.
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator

from diskwright._values import Struct
from diskwright.formats.packed.feed import Feed

MAGICS = (b"070701", b"070702")
HEADER_BYTES = 110
MAX_NAME = 4096
TRAILER = b"TRAILER!!!"

_MODE, _FILE_SIZE, _NAME_SIZE = 1, 6, 11  # of the 13 fields
_HEX = frozenset(b"0123456789abcdefABCDEF")


class CpioError(Exception):
    """The archive contradicts itself or ends early."""


class CpioEntry(Struct, frozen=True):
    """`content` is there only for a file that was asked for."""

    name: bytes
    mode: int
    size: int
    content: bytes | None

    @property
    def is_file(self) -> bool:
        return stat.S_ISREG(self.mode)


def read_archive(
    feed: Feed, wanted: Callable[[bytes], bool], max_content: int
) -> Iterator[CpioEntry]:
    """The entries of the one archive that `feed` stands at, without its trailer.

    Content of at most `max_content` bytes comes with those files whose names are `wanted`. An
    archive without a trailer ends where the feed ends, as for the kernel.
    """
    while feed.peek(1):
        header = feed.take(HEADER_BYTES)
        if len(header) < HEADER_BYTES:
            raise CpioError("ends within a header")
        fields = _fields(header)
        size = fields[_FILE_SIZE]
        name = _take_name(feed, fields[_NAME_SIZE])
        if name == TRAILER:
            return
        keep = 0 < size <= max_content and stat.S_ISREG(fields[_MODE]) and wanted(name)
        content = feed.take(size) if keep else None
        passed = len(content) if content is not None else feed.skip(size)
        if passed < size:
            raise CpioError("ends within a file")
        feed.skip(-size % 4)
        yield CpioEntry(name, fields[_MODE], size, content)


def _fields(header: bytes) -> list[int]:
    if not header.startswith(MAGICS):
        raise CpioError("has no header where one must be")
    digits = header[6:]
    if not _HEX.issuperset(digits):
        raise CpioError("has a header that is not hexadecimal")
    return [int(digits[at : at + 8], 16) for at in range(0, len(digits), 8)]


def _take_name(feed: Feed, length: int) -> bytes:
    if not 0 < length <= MAX_NAME:
        raise CpioError(f"has a name of {length} bytes")
    name = feed.take(length)
    if len(name) < length:
        raise CpioError("ends within a name")
    feed.skip(-(HEADER_BYTES + length) % 4)
    return name.rstrip(b"\0")
