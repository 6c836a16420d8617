"""What `scripts/fuzz` found once, each as small as it can be."""

from __future__ import annotations

from pathlib import Path

import pytest

from diskwright.adapters.qemu_nbd import QemuNbdExporter
from diskwright.errors import ImageBroken, ImageUnsafe
from diskwright.ops.opening import reading
from support.images import qemu_img
from support.opening import opener
from support.vmdk_maker import Stream, descriptor, sparse


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


@pytest.mark.parametrize(
    "name", ["link/../base.raw", "sub/./link/.././base.raw", "{}/link/../base.raw"]
)
def test_a_link_that_a_name_leaves_again_is_a_link(tmp_path: Path, name: str) -> None:
    """Of the letters alone a file beside the image was left, where every other reader takes one
    beside what the link leads to.
    """
    inside, outside = tmp_path / "in", tmp_path / "out" / "folder"
    (inside / "sub").mkdir(parents=True)
    outside.mkdir(parents=True)
    for folder in (inside, inside / "sub", outside.parent):
        (folder / "base.raw").write_bytes(bytes(512))
    for folder in (inside, inside / "sub"):
        (folder / "link").symlink_to(outside)
    top = inside / "top.qcow2"
    options = ["-u", "-F", "raw", "-b", name.format(inside)]
    qemu_img("create", "-q", "-f", "qcow2", *options, top, "1M")
    with (
        pytest.raises(ImageUnsafe) as caught,
        opener(beneath=inside).source(str(top)),
    ):
        pass
    assert caught.value.code == "reference-outside"


@pytest.mark.parametrize("alone", [True, False])
def test_an_extent_that_is_a_word_as_well_is_none(tmp_path: Path, alone: bool) -> None:
    """It was counted among the files, and not among the extents."""
    lines = ('RW 8 FLAT "a.raw" 0', 'RW= 8 FLAT "a.raw" 0')
    content = descriptor(*lines, create_type="monolithicFlat")
    if not alone:
        content = sparse(8, {}, text=descriptor('RW 8 SPARSE "a.vmdk"', lines[1]), grain=8)
    (tmp_path / "a.raw").write_bytes(bytes(4096))
    (tmp_path / "disk.vmdk").write_bytes(content)
    with (
        pytest.raises(ImageBroken) as caught,
        opener(beneath=tmp_path).source(str(tmp_path / "disk.vmdk")),
    ):
        pass
    assert caught.value.code == "header-inconsistent"
