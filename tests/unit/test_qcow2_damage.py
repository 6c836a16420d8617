"""What a reader can't have of a qcow2 file has a name only where the file tells it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from diskwright.formats.qcow2.damage import compressed_damage
from diskwright.formats.source import ImageSource
from support.hostile.qcow2 import qcow2

K = 65536
PACKED = 1 << 62
COPIED = 1 << 63


@contextmanager
def source(content: bytes, *, before: bytes = b"") -> Iterator[ImageSource]:
    fd = os.memfd_create("disk")
    try:
        os.pwrite(fd, before + content, 0)
        yield ImageSource(fd, "disk", len(content), len(before))
    finally:
        os.close(fd)


def test_a_compressed_cluster_is_named_with_its_place() -> None:
    for before in (b"", b"tar" * 512):
        with source(qcow2(l2=[PACKED | 5 * K + 13]), before=before) as image:
            found = compressed_damage(image, 0, 512)
            assert found is not None
            assert (found.code, found.offset) == ("compressed-data", 5 * K + 13)


def test_no_compressed_cluster_among_these_bytes_is_none_of_it() -> None:
    with source(qcow2(l2=[5 * K | COPIED, 0, PACKED | 5 * K])) as image:
        assert compressed_damage(image, 0, 2 * K) is None
        assert compressed_damage(image, 2 * K - 512, 513) is not None
        assert compressed_damage(image, 3 * K, 1 << 20) is None  # beyond the disk's end too


def test_where_the_file_itself_is_not_read_it_is_not_its_content() -> None:
    pread = os.pread

    def failing(fd: int, length: int, offset: int) -> bytes:
        if offset >= 5 * K:
            raise OSError(5, "Input/output error")
        return pread(fd, length, offset)

    with (
        source(qcow2(l2=[PACKED | 5 * K + 13])) as image,
        mock.patch("diskwright.formats.source.os.pread", failing),
    ):
        assert compressed_damage(image, 0, 512) is None
