"""A raw file whose holes are not the same twice: those of unwritten extents go by the cache."""

from __future__ import annotations

import os

from diskwright.blockio.local import LocalReader
from diskwright.model.extent import ExtentKind

SIZE = 1 << 20


def test_data_that_is_a_hole_when_its_end_is_asked_for_is_read(tmp_path, monkeypatch):
    """Made by hand, as no file can be held in the middle of it."""
    path = tmp_path / "disk.raw"
    path.write_bytes(b"x" * 4096 + bytes(SIZE - 4096))
    plain = os.lseek

    def flickering(fd, offset, what):
        if what == os.SEEK_HOLE and offset == 4096:
            return offset
        if what == os.SEEK_HOLE:
            return 4096
        return offset if what == os.SEEK_DATA else plain(fd, offset, what)

    reader = LocalReader(os.open(path, os.O_RDONLY), exact_size=SIZE, name=str(path))
    monkeypatch.setattr(os, "lseek", flickering)
    found = []
    for extent in reader.extents(0, 1 << 17):
        found.append((extent.start, extent.length, extent.kind))
        if len(found) == 2:
            break
    assert found == [(0, 4096, ExtentKind.DATA), (4096, 64 << 10, ExtentKind.DATA)]
    reader.close()
