"""Holes of a VHDX file are holes of its disk, and the bytes stay what they were."""

from __future__ import annotations

import os
from pathlib import Path

from diskwright.adapters.qemu_nbd import QemuNbdExporter
from diskwright.model.units import MIB
from diskwright.ops.opening import look, reading
from support.images import qemu_img

KIB = 1024


def test_what_the_file_does_not_hold_is_not_read(tmp_path: Path) -> None:
    raw, made = tmp_path / "disk.raw", tmp_path / "disk.vhdx"
    noise = os.urandom(64 * KIB)
    content = bytearray(64 * MIB)
    for at in (0, 3 * MIB, 40 * MIB + 4 * KIB, 64 * MIB - len(noise)):
        content[at : at + len(noise)] = noise
    raw.write_bytes(content)
    qemu_img("convert", "-O", "vhdx", "-o", "block_size=8M", raw, made)
    with reading(look(str(made)), QemuNbdExporter()) as reader:
        extents = list(reader.extents(0, reader.size))
        got = bytearray(reader.size)
        reader.read_into(0, memoryview(got))
    assert got == content
    assert sum(extent.length for extent in extents) == len(content)
    for extent in extents:
        if not extent.is_data:
            assert content[extent.start : extent.end] == bytes(extent.length)
    data = sum(extent.length for extent in extents if extent.is_data)
    assert 4 * len(noise) <= data < 4 * MIB  # of three blocks of 8 MiB
