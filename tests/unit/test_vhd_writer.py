"""A fixed VHD is the disk and a footer that leaves nobody in doubt of its size."""

from __future__ import annotations

from pathlib import Path

import pytest

from diskwright.blockio.memory import MemoryReader
from diskwright.errors import UsageError
from diskwright.formats.vhd import layout
from diskwright.model.image import ImageFormat, VhdSize
from diskwright.writers import writer_for
from support.disks import assemble, contents
from support.images import look_at

KIB, MIB = 1 << 10, 1 << 20


def written(reader: MemoryReader) -> bytes:
    writer = writer_for(ImageFormat.VHD, virtual_size=reader.size, compressed=False, threads=2)
    return assemble(writer.chunks(reader))


@pytest.mark.parametrize("size", [512, 1536, MIB, MIB + 512, 3 * MIB - 512])
def test_our_parser_reads_the_size_that_was_written(tmp_path: Path, size: int) -> None:
    path = tmp_path / "disk.vhd"
    path.write_bytes(written(MemoryReader(size, {size - 512: b"tail" * 128})))
    facts = look_at(path)
    assert (facts.format, facts.subformat, facts.creator) == (ImageFormat.VHD, "fixed", "dskw")
    assert (facts.virtual_size, facts.vhd_size) == (size, VhdSize.CURRENT_SIZE)
    assert facts.problems == ()


def test_the_disk_stands_before_the_footer() -> None:
    reader = MemoryReader.of_picture("AB-0.?" * 12, size=72 * 64 * KIB - 512)
    file = written(reader)
    assert file[:-512] == contents(reader)
    assert layout.footer_sound(file[-512:])


def test_a_footer_is_read_as_it_was_written() -> None:
    data = written(MemoryReader(1024, {}))[-512:]
    footer = layout.decode_footer(data)
    assert layout.encode_footer(footer, unique_id=data[68:84]) == data
    assert layout.encode_footer(footer, unique_id=bytes(16)) != data, "each disk has an id"


def test_a_disk_that_begins_as_a_vhd_is_refused() -> None:
    """QEMU looks for a footer at a file's start first, and would read another disk."""
    with pytest.raises(UsageError, match="begins as a VHD"):
        written(MemoryReader(MIB, {0: layout.COOKIE}))
    assert written(MemoryReader(MIB, {512: layout.COOKIE}))


def test_what_a_vhd_can_t_hold_is_refused_before_anything_is_written() -> None:
    with pytest.raises(UsageError, match="2 TiB"):
        written(MemoryReader(layout.SIZE_MAX + 512, {}))
