"""What `scripts/fuzz` found once, each as small as it can be."""

from __future__ import annotations

from pathlib import Path

import pytest

from diskwright.adapters.qemu_nbd import QemuNbdExporter
from diskwright.errors import ImageBroken
from diskwright.ops.opening import reading
from support.opening import opener
from support.vmdk_maker import Stream


def test_a_damaged_grain_of_a_stream_is_the_images_fault_and_not_the_tools(tmp_path: Path) -> None:
    """qemu answers EINVAL there, where it says EIO of other formats."""
    content = bytearray(Stream(512 * 128, {0: b"a" * 65536}).build())
    packed = content.index(b"\x78\x9c", 65536)
    content[packed + 2] ^= 0xFF
    path = tmp_path / "disk.vmdk"
    path.write_bytes(content)
    with (
        pytest.raises(ImageBroken) as caught,
        opener().source(str(path)) as source,
        reading(source, QemuNbdExporter()) as reader,
    ):
        reader.read_into(0, memoryview(bytearray(512)))
    assert caught.value.code == "unreadable"
