"""Image files that are only bytes: read by one format's reader, changed, and changed soundly."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable

import pytest

from diskwright.errors import ImageRefused
from diskwright.formats.crc32c import crc32c
from diskwright.formats.source import ImageSource
from diskwright.model.image import ImageFacts

Reader = Callable[[ImageSource], ImageFacts]


def facts_of(
    reader: Reader,
    content: bytes,
    *,
    size: int | None = None,
    tail: bytes = b"",
    follow: bool = False,
) -> ImageFacts:
    """`size` makes the file longer, by a hole that ends with `tail`."""
    length = len(content) if size is None else size
    fd = os.memfd_create("disk")
    try:
        os.ftruncate(fd, length)
        os.pwrite(fd, content, 0)
        os.pwrite(fd, tail, length - len(tail))
        return reader(ImageSource(fd, "disk", length, follow=follow))
    finally:
        os.close(fd)


def refusal(
    reader: Reader,
    content: bytes,
    *,
    size: int | None = None,
    tail: bytes = b"",
    follow: bool = False,
) -> ImageRefused:
    with pytest.raises(ImageRefused) as caught:
        facts_of(reader, content, size=size, tail=tail, follow=follow)
    return caught.value


def ending(
    reader: Reader, content: bytes, *, size: int | None = None, tail: bytes = b""
) -> tuple[str, str]:
    found = refusal(reader, content, size=size, tail=tail)
    return found.kind, found.code


def patched(content: bytes, offset: int, layout: str, *values: object) -> bytes:
    changed = bytearray(content)
    struct.pack_into(layout, changed, offset, *values)
    return bytes(changed)


def vhd_summed(content: bytes, at: int, length: int, sum_at: int) -> bytes:
    """With VHD's checksum of `length` bytes from `at` put right."""
    blank = patched(content, at + sum_at, ">I", 0)
    return patched(blank, at + sum_at, ">I", ~sum(blank[at : at + length]) & 0xFFFFFFFF)


def vhdx_summed(content: bytes, at: int, length: int) -> bytes:
    """With VHDX's checksum of `length` bytes from `at` put right."""
    blank = patched(content, at + 4, "<I", 0)
    found = crc32c(0xFFFFFFFF, blank[at : at + length]) ^ 0xFFFFFFFF
    return patched(blank, at + 4, "<I", found)
