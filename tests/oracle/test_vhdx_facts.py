"""What is read of a VHDX file agrees with what qemu reads of it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from diskwright.errors import ImageRefused
from support.hostile import vhdx as builder
from support.image_bytes import patched, vhdx_summed
from support.images import look_at, qemu_img
from support.qemu_disks import bytes_of, info_of, make

MIB = 1 << 20


@pytest.mark.parametrize("block", ["", ",block_size=1M", ",block_size=2M", ",block_size=256M"])
@pytest.mark.parametrize("subformat", ["fixed", "dynamic"])
def test_facts_of_what_qemu_writes_agree(subformat: str, block: str, tmp_path: Path) -> None:
    path = tmp_path / "disk.vhdx"
    size = 10 * MIB + 512
    content = make(path, "vhdx", f"subformat={subformat}{block}", size)
    facts = look_at(path)
    info = info_of(path, facts)
    assert facts.virtual_size == info["virtual-size"] == size
    assert (facts.subformat, facts.cluster_size) == (subformat, info["cluster-size"])
    assert (facts.creator or "").startswith("QEMU")
    assert facts.problems == ()
    assert bytes_of(path, facts) == content.ljust(size, b"\0")


@pytest.mark.parametrize("block", ["1M", "256M"])
def test_a_disk_of_several_chunks_agrees(block: str, tmp_path: Path) -> None:
    """Entries for sector bitmaps stand between those for blocks."""
    path = tmp_path / "disk.vhdx"
    qemu_img("create", "-q", "-f", "vhdx", "-o", f"block_size={block}", path, "13G")
    places = [4 << 30, 12 << 30, 0, (8 << 30) - MIB, (4 << 30) - MIB, 8 << 30]
    words = [word for at in places for word in ("-c", f"write -P 7 {at} 1M")]
    subprocess.run(["qemu-io", "-f", "vhdx", *words, str(path)], check=True, capture_output=True)
    facts = look_at(path)
    assert facts.virtual_size == info_of(path, facts)["virtual-size"] == 13 << 30


def test_64_tib_agree(tmp_path: Path) -> None:
    path = tmp_path / "disk.vhdx"
    qemu_img("create", "-q", "-f", "vhdx", path, "64T")
    facts = look_at(path)
    assert facts.virtual_size == info_of(path, facts)["virtual-size"] == 64 << 40


def qemu_opens(path: Path) -> bool:
    words = ["qemu-img", "info", "-f", "vhdx", str(path)]
    return subprocess.run(words, capture_output=True).returncode == 0


def test_sectors_of_4096_bytes_are_refused_by_both(tmp_path: Path) -> None:
    path = tmp_path / "disk.vhdx"
    path.write_bytes(builder.vhdx(sector=4096))
    with pytest.raises(ImageRefused) as caught:
        look_at(path)
    assert caught.value.code == "sector-size"
    assert not qemu_opens(path)


def test_of_the_region_tables_qemu_reads_the_first_only(tmp_path: Path) -> None:
    path = tmp_path / "disk.vhdx"
    for at, opened in ((192 << 10, False), (256 << 10, True)):
        path.write_bytes(patched(builder.vhdx(), at + 5000, "B", 1))
        assert qemu_opens(path) is opened
        if opened:
            assert look_at(path).virtual_size == 8 * MIB
        else:
            with pytest.raises(ImageRefused):
                look_at(path)


def test_of_two_headers_both_choose_the_same(tmp_path: Path) -> None:
    path = tmp_path / "disk.vhdx"
    for which, refused in ((64 << 10, False), (128 << 10, True)):
        other = patched(builder.vhdx(), which + 64, "<H", 1)  # a log version that is not known
        path.write_bytes(vhdx_summed(other, which, 4096))
        assert qemu_opens(path) is not refused
        if not refused:
            assert look_at(path).problems == ()


def test_a_file_that_ends_with_its_disk_is_read_as_qemu_does(tmp_path: Path) -> None:
    path = tmp_path / "disk.vhdx"
    made = patched(builder.vhdx(size=8 * MIB + 512), (3 * MIB) + 64, "<Q", 4 * MIB | 6)
    path.write_bytes(made + b"Z" * 512)
    facts = look_at(path)
    assert bytes_of(path, facts) == bytes(8 * MIB) + b"Z" * 512


def test_a_file_cut_anywhere_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "disk.vhdx"
    make(path, "vhdx", "block_size=1M", 10 * MIB)
    whole = path.read_bytes()
    for kept in (len(whole) - MIB, len(whole) // 2, 3 * MIB, MIB, MIB - 1, 70000):
        path.write_bytes(whole[:kept])
        with pytest.raises(ImageRefused) as caught:
            look_at(path)
        assert caught.value.code in ("truncated", "offset-past-end")
