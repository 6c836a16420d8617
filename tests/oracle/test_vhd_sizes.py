"""A VHD's decided size is the one qemu reads, by its own choice or because it is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from diskwright.errors import ImageRefused, ImageUnsafe
from diskwright.model.image import VhdSize
from support.hostile.vhd import vhd_footer
from support.image_bytes import patched, vhd_summed
from support.images import look_at, patterned, qemu_info
from support.qemu_disks import bytes_of, info_of, make

MIB = 1 << 20


@pytest.mark.parametrize("exact", ["on", "off"])
@pytest.mark.parametrize("subformat", ["fixed", "dynamic"])
@pytest.mark.parametrize("size", [7 * MIB, 10 * MIB + 512, 100 * MIB])
def test_facts_of_what_qemu_writes_agree(
    subformat: str, exact: str, size: int, tmp_path: Path
) -> None:
    path = tmp_path / "disk.vhd"
    content = make(path, "vpc", f"subformat={subformat},force_size={exact}", size)
    facts = look_at(path)
    info = info_of(path, facts)
    assert facts.virtual_size == info["virtual-size"] == qemu_info(path, "vpc")["virtual-size"]
    assert facts.virtual_size >= size
    assert (facts.virtual_size == size) or exact == "off"
    assert (facts.subformat, facts.cluster_size) == (subformat, info.get("cluster-size"))
    assert facts.creator == {"on": "qem2", "off": "qemu"}[exact]
    assert (facts.vhd_size, facts.problems) == (VhdSize.CURRENT_SIZE, ())
    read = bytes_of(path, facts)
    assert len(read) == facts.virtual_size
    assert read == content.ljust(len(read), b"\0")


CREATORS = [
    b"vpc ",
    b"vs  ",
    b"vbox",
    b"vdi ",
    b"qemu",
    b"none",
    b"win ",
    b"d2v ",
    b"tap\0",
    b"CTXS",
]

SIZE_CREATORS = (b"win ", b"d2v ", b"tap\0", b"CTXS")


@pytest.mark.parametrize("creator", CREATORS)
@pytest.mark.parametrize(
    ("chs", "data"), [((30, 4, 17), 16), ((60, 4, 17), 16), ((60, 4, 17), 40), ((30, 4, 17), 15)]
)
def test_a_disk_with_two_sizes_is_read_to_the_last_byte_of_the_decided_one(
    creator: bytes, chs: tuple[int, int, int], data: int, tmp_path: Path
) -> None:
    path = tmp_path / "disk.vhd"
    disk = patterned("ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJKLMN"[:data])
    if data == 15:
        disk += b"Z" * (1020 - 960) * 1024  # what the geometry says, less than the size
    footer = patched(vhd_footer(MIB, chs=chs), 28, "4s", creator)
    path.write_bytes(disk + vhd_summed(footer, 0, 512, 64))
    if data == 15 and creator in SIZE_CREATORS:
        with pytest.raises(ImageRefused) as caught:
            look_at(path)
        assert caught.value.code == "offset-past-end"
        return
    facts = look_at(path)
    assert info_of(path, facts)["virtual-size"] == facts.virtual_size
    assert bytes_of(path, facts) == disk[: facts.virtual_size]
    cut = qemu_info(path, "vpc")["virtual-size"] < facts.virtual_size
    assert not cut or facts.problems, "qemu alone would cut it, and nothing is said"


def test_a_dynamic_disk_that_qemu_cuts_by_itself_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "disk.vhd"
    content = make(path, "vpc", "subformat=dynamic", 7 * MIB)
    image = path.read_bytes()
    for at in (0, len(image) - 512):
        image = vhd_summed(patched(image, at + 56, ">HBB", 100, 4, 17), at, 512, 64)
    path.write_bytes(image)
    facts = look_at(path)
    assert qemu_info(path, "vpc")["virtual-size"] == 100 * 4 * 17 * 512 < len(content)
    assert [problem.code for problem in facts.problems] == ["size-ambiguous"]
    assert bytes_of(path, facts) == content.ljust(facts.virtual_size, b"\0")


def test_a_footer_of_511_bytes_is_what_qemu_reads_too(tmp_path: Path) -> None:
    path = tmp_path / "disk.vhd"
    disk = patterned("A" * 15) + b"Z" * (1044480 - 15 * 65536)
    path.write_bytes(disk + vhd_footer()[:-1])
    facts = look_at(path)
    assert info_of(path, facts)["virtual-size"] == facts.virtual_size == len(disk)
    assert bytes_of(path, facts) == disk


def test_the_largest_disk_agrees_and_the_next_one_is_refused_by_both(tmp_path: Path) -> None:
    path = tmp_path / "disk.vhd"
    size = 0xFF000000 * 512
    make(path, "vpc", "subformat=dynamic,force_size=on", size)
    facts = look_at(path)
    assert facts.virtual_size == size == info_of(path, facts)["virtual-size"]
    image = path.read_bytes()
    for at in (0, len(image) - 512):
        image = vhd_summed(patched(image, at + 48, ">Q", size + 512), at, 512, 64)
    path.write_bytes(image)
    with pytest.raises(ImageRefused) as caught:
        look_at(path)
    assert caught.value.code == "size-too-large"


def test_a_differencing_disk_is_refused_that_qemu_would_read_as_if_whole(tmp_path: Path) -> None:
    path = tmp_path / "disk.vhd"
    make(path, "vpc", "subformat=dynamic", 7 * MIB)
    image = path.read_bytes()
    for at in (0, len(image) - 512):
        image = vhd_summed(patched(image, at + 60, ">I", 4), at, 512, 64)
    path.write_bytes(image)
    assert qemu_info(path, "vpc")["virtual-size"] > 7 * MIB
    with pytest.raises(ImageUnsafe):
        look_at(path)


def test_a_file_cut_anywhere_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "disk.vhd"
    make(path, "vpc", "subformat=dynamic", 7 * MIB)
    whole = path.read_bytes()
    for kept in (len(whole) - 1, len(whole) - 512, len(whole) // 2, 4096, 1024):
        path.write_bytes(whole[:kept])
        with pytest.raises(ImageRefused) as caught:
            look_at(path)
        assert caught.value.code in ("truncated", "offset-past-end", "version-unknown")
