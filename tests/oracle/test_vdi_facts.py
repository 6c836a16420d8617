"""What is read of a VDI file agrees with what qemu reads of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from diskwright.errors import ImageRefused
from support.hostile import vdi as builder
from support.image_bytes import patched
from support.images import look_at, qemu_img, qemu_info
from support.qemu_disks import bytes_of, info_of, make

MIB = 1 << 20


@pytest.mark.parametrize(("static", "subformat"), [("on", "static"), ("off", "dynamic")])
@pytest.mark.parametrize("size", [7 * MIB, 10 * MIB + 512])
def test_facts_of_what_qemu_writes_agree(
    static: str, subformat: str, size: int, tmp_path: Path
) -> None:
    path = tmp_path / "disk.vdi"
    content = make(path, "vdi", f"static={static}", size)
    facts = look_at(path)
    info = info_of(path, facts)
    assert facts.virtual_size == info["virtual-size"] == size
    assert (facts.subformat, facts.cluster_size) == (subformat, info["cluster-size"])
    assert (facts.creator, facts.problems) == ("QEMU VM Virtual Disk Image", ())
    assert bytes_of(path, facts) == content.ljust(size, b"\0")


def test_blocks_out_of_order_and_discarded_ones_are_read_as_qemu_does(tmp_path: Path) -> None:
    path = tmp_path / "disk.vdi"
    path.write_bytes(builder.vdi(bmap=(1, 0xFFFFFFFE, 0xFFFFFFFF, 0)))
    facts = look_at(path)
    expected = b"B" * MIB + bytes(2 * MIB) + b"A" * MIB
    assert bytes_of(path, facts) == expected


def test_a_file_that_ends_with_its_disk_is_read_as_qemu_does(tmp_path: Path) -> None:
    path = tmp_path / "disk.vdi"
    whole = patched(builder.vdi(bmap=(0, 0xFFFFFFFF, 0xFFFFFFFF, 1)), 368, "<Q", 3 * MIB + 512)
    path.write_bytes(whole[: 1024 + MIB + 512])
    facts = look_at(path)
    assert bytes_of(path, facts) == b"A" * MIB + bytes(2 * MIB) + b"B" * 512


@pytest.mark.parametrize("kind", [3, 4])
def test_an_undo_or_differencing_disk_is_refused_that_qemu_reads_as_if_whole(
    kind: int, tmp_path: Path
) -> None:
    path = tmp_path / "disk.vdi"
    path.write_bytes(builder.vdi(kind=kind))
    assert qemu_info(path, "vdi")["virtual-size"] == 4 * MIB
    with pytest.raises(ImageRefused) as caught:
        look_at(path)
    assert caught.value.code == "differencing"


def test_the_largest_map_agrees_and_the_next_one_is_unsupported(tmp_path: Path) -> None:
    path = tmp_path / "disk.vdi"
    qemu_img("create", "-q", "-f", "vdi", path, "2T")
    facts = look_at(path)
    assert facts.virtual_size == info_of(path, facts)["virtual-size"] == 2 << 40
    qemu_img("create", "-q", "-f", "vdi", path, str((2 << 40) + 512))
    with pytest.raises(ImageRefused) as caught:
        look_at(path)
    assert (caught.value.kind, caught.value.code) == ("unsupported", "table-too-large")


def test_a_file_cut_anywhere_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "disk.vdi"
    make(path, "vdi", "", 7 * MIB)
    whole = path.read_bytes()
    for kept in (len(whole) - 1, len(whole) // 2, 1024, 1023, 400):
        path.write_bytes(whole[:kept])
        with pytest.raises(ImageRefused) as caught:
            look_at(path)
        assert caught.value.code in ("truncated", "offset-past-end")
