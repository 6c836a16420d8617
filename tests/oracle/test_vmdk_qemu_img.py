"""What is read of a VMDK agrees with what qemu-img reads in it."""

from __future__ import annotations

import json
import os
import random
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from diskwright.errors import ImageRefused
from diskwright.formats import vmdk
from diskwright.formats.source import ImageSource
from diskwright.model.image import ImageFacts, ImageFormat
from support.images import patterned, qemu_img, qemu_info
from support.vmdk_maker import GRAIN, SECTOR, Stream, descriptor, sparse

SIZE = 10_000_384
OPTIONS = {
    "monolithicSparse": "subformat=monolithicSparse",
    "zeroed": "subformat=monolithicSparse,zeroed_grain=on",
    "compat6": "compat6=on",
    "scsi": "adapter_type=lsilogic,hwversion=11",
    "streamOptimized": "subformat=streamOptimized",
}
IN_FILES = {
    "monolithicFlat": "subformat=monolithicFlat",
    "twoGbMaxExtentSparse": "subformat=twoGbMaxExtentSparse",
    "twoGbMaxExtentSparse, zeroed": "subformat=twoGbMaxExtentSparse,zeroed_grain=on",
    "twoGbMaxExtentFlat": "subformat=twoGbMaxExtentFlat",
}


@contextmanager
def opened(path: Path, *, follow: bool = False) -> Iterator[ImageSource]:
    fd = os.open(path, os.O_RDONLY)
    try:
        yield ImageSource(fd, str(path), path.stat().st_size, follow=follow)
    finally:
        os.close(fd)


def facts_of(path: Path, *, follow: bool = False) -> ImageFacts:
    with opened(path, follow=follow) as source:
        return vmdk.read_facts(source)


def write(path: Path, *commands: str) -> None:
    words = [word for command in commands for word in ("-c", command)]
    argv = ["qemu-io", "-f", "vmdk", *words, str(path)]
    subprocess.run(argv, check=True, capture_output=True)


def own_of(info: dict[str, Any]) -> dict[str, Any]:
    own: dict[str, Any] = info["format-specific"]["data"]
    return own


def agree(path: Path) -> None:
    info = qemu_info(path, "vmdk")
    own = own_of(info)
    facts = facts_of(path)
    assert facts.virtual_size == info["virtual-size"]
    assert facts.subformat == own["create-type"]
    (extent,) = own["extents"]
    assert facts.cluster_size == extent["cluster-size"]
    assert facts.compressed is extent.get("compressed", False)
    qemu_img("check", "-q", "-f", "vmdk", path)


@pytest.mark.parametrize("variant", OPTIONS)
def test_an_empty_and_a_written_file_agree(variant: str, tmp_path: Path) -> None:
    path, raw = tmp_path / "disk.vmdk", tmp_path / "disk.raw"
    qemu_img("create", "-q", "-f", "vmdk", "-o", OPTIONS[variant], path, SIZE)
    agree(path)
    if variant == "streamOptimized":
        raw.write_bytes(patterned("AB0~C~~0D" * 15) + b"tail".ljust(512))
        qemu_img("convert", "-f", "raw", "-O", "vmdk", "-o", OPTIONS[variant], raw, path)
    else:
        write(
            path,
            "write -P 3 7000064 512",
            "write -P 1 0 70000",
            "write -z 4194304 1M",
            "write -P 5 9999872 512",
        )
    agree(path)


def test_the_creator_s_geometry_is_that_of_the_descriptor(tmp_path: Path) -> None:
    path = tmp_path / "disk.vmdk"
    qemu_img("create", "-q", "-f", "vmdk", path, "64M")
    text = path.read_bytes()[512:2048].decode().splitlines()
    told = [line.split('"')[1] for line in text if line.startswith("ddb.geometry.")]
    geometry = facts_of(path).geometry
    assert geometry is not None
    assert [str(n) for n in (geometry.cylinders, geometry.heads, geometry.sectors)] == told


@pytest.mark.parametrize("size", [SIZE, 5 << 30])
@pytest.mark.parametrize("variant", IN_FILES)
def test_a_disk_in_several_files_agrees_with_each_of_them(
    variant: str, size: int, tmp_path: Path
) -> None:
    path = tmp_path / "disk.vmdk"
    qemu_img("create", "-q", "-f", "vmdk", "-o", IN_FILES[variant], path, size)
    write(path, f"write -P 1 {size - 70144} 70144", "write -P 2 1M 64k")
    info = qemu_info(path, "vmdk")
    facts = facts_of(path, follow=True)
    assert facts.virtual_size == info["virtual-size"] == size
    assert facts.subformat == own_of(info)["create-type"]
    with opened(path, follow=True) as source:
        lines = vmdk.extents_of(source)
    extents = own_of(info)["extents"]
    assert [line.name for line in lines] == [Path(one["filename"]).name for one in extents]
    assert [line.name for line in lines] == [one.name for one in facts.references]
    for line, told, reference in zip(lines, extents, facts.references, strict=True):
        assert line.sectors * SECTOR == told["virtual-size"]
        with opened(tmp_path / line.name) as source:
            part = vmdk.read_extent_facts(source, line)
        assert part.format is reference.format
        assert part.virtual_size == told["virtual-size"]
        assert part.cluster_size == (told["cluster-size"] if part.format == "vmdk" else None)
    with pytest.raises(ImageRefused) as caught:
        facts_of(path)
    assert (caught.value.kind, caught.value.code) == ("unsafe", "reference-outside")


def test_a_delta_names_its_parent(tmp_path: Path) -> None:
    qemu_img("create", "-q", "-f", "vmdk", tmp_path / "base.vmdk", "8M")
    options = ["-b", "base.vmdk", "-F", "vmdk"]
    subprocess.run(
        ["qemu-img", "create", "-q", "-f", "vmdk", *options, "top.vmdk"], cwd=tmp_path, check=True
    )
    facts = facts_of(tmp_path / "top.vmdk", follow=True)
    assert [(one.kind, one.name) for one in facts.references] == [("parent", "base.vmdk")]
    assert facts.references[0].format is ImageFormat.VMDK
    with pytest.raises(ImageRefused) as caught:
        facts_of(tmp_path / "top.vmdk")
    assert caught.value.code == "reference-outside"


# --- what no tool here writes ---------------------------------------------------------------------


@pytest.mark.parametrize("capacity", [512 * GRAIN * 3, 512 * GRAIN * 3 - 64, GRAIN, 8])
def test_a_stream_with_a_footer_is_read_by_qemu_img_as_we_say(
    capacity: int, tmp_path: Path
) -> None:
    path, raw = tmp_path / "disk.vmdk", tmp_path / "disk.raw"
    last = (capacity - 1) // GRAIN
    numbers = {0, 1, 700, 1300, last}
    grains = {n: os.urandom(1000).ljust(GRAIN * SECTOR, b"x") for n in numbers if n <= last}
    path.write_bytes(Stream(capacity, grains).build())
    agree(path)
    assert facts_of(path).features == ("footer",)
    qemu_img("convert", "-f", "vmdk", "-O", "raw", path, raw)
    disk = bytearray((last + 1) * GRAIN * SECTOR)
    for number, content in grains.items():
        disk[number * len(content) : (number + 1) * len(content)] = content
    assert raw.read_bytes() == disk[: capacity * SECTOR]


@pytest.mark.parametrize("grain", [8, 128, 2048])
def test_sparse_files_of_any_grain_agree(grain: int, tmp_path: Path) -> None:
    path = tmp_path / "disk.vmdk"
    places = {0: 2048 + grain, 7: 2048, 600: 2048 + 2 * grain}
    path.write_bytes(sparse(2 * 512 * grain, places, grain=grain, copies=places))
    agree(path)


def as_qemu_reads(path: Path) -> int | None:
    argv = ["qemu-img", "info", "-f", "vmdk", "--output", "json", str(path)]
    done = subprocess.run(argv, capture_output=True, check=False)
    return int(json.loads(done.stdout)["virtual-size"]) if done.returncode == 0 else None


TRICKS = (
    b"",
    b"\n",
    b"\r\n",
    b" ",
    b"#",
    b"RW",
    b"RW\n",
    b'RW 8 FLAT "a.vmdk" 0\n',
    b"RW 8 ZERO\n",
    b'RDONLY 8 FLAT "a.vmdk" 0\n',
    b"0",
    b'"',
    b"CID",
    b"createType",
    b"=",
    b"\0",
    b"\t",
)


def test_a_descriptor_that_is_taken_has_the_size_that_qemu_img_finds(tmp_path: Path) -> None:
    """Also where a trick makes it find an extent twice, over two lines, or not at all."""
    (tmp_path / "a.vmdk").write_bytes(bytes(1 << 20))
    lines = [f'RW {n} FLAT "a.vmdk" 0' for n in (16, 32)]
    good = descriptor(*lines, create_type="twoGbMaxExtentFlat")
    choose = random.Random(7)
    path = tmp_path / "disk.vmdk"
    path.write_bytes(good)
    assert facts_of(path, follow=True).virtual_size == as_qemu_reads(path) == 48 * SECTOR
    taken = 0
    for _ in range(300):
        text = good
        for _ in range(choose.randint(1, 2)):
            at = choose.randrange(len(text)) if choose.random() < 0.3 else _line(choose, text)
            text = text[:at] + choose.choice(TRICKS) + text[at + choose.choice((0, 0, 1)) :]
        path.write_bytes(text)
        try:
            facts = facts_of(path, follow=True)
        except ImageRefused:
            continue
        if {one.name for one in facts.references} != {"a.vmdk"}:
            continue  # a file that is not there, which whoever resolves the names finds out
        taken += 1
        assert facts.virtual_size == as_qemu_reads(path), text
    assert taken > 20


def _line(choose: random.Random, text: bytes) -> int:
    return choose.choice([0, *(at + 1 for at, byte in enumerate(text[:-1]) if byte == 10)])


def test_a_sparse_file_that_is_taken_has_the_size_that_qemu_img_finds(tmp_path: Path) -> None:
    places = {0: 128, 600: 256}
    bases = [
        sparse(2 * 512 * GRAIN, places, copies=places),
        Stream(2 * 512 * GRAIN, {0: b"x" * 65536, 600: b"y" * 65536}).build(),
    ]
    choose = random.Random(11)
    path = tmp_path / "disk.vmdk"
    taken = 0
    for _ in range(120):
        content = bytearray(choose.choice(bases))
        place = choose.choice((choose.randrange(4, 79), choose.randrange(512, 900), -1024 + 60))
        content[place] = choose.choice((0, 1, 2, 3, 9, 10, 32, 35, 128, 255))
        path.write_bytes(content)
        try:
            facts = facts_of(path)
        except ImageRefused:
            continue
        taken += 1
        assert facts.virtual_size == as_qemu_reads(path), place
        done = subprocess.run(
            ["qemu-img", "convert", "-f", "vmdk", "-O", "raw", str(path), str(tmp_path / "out")],
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, (place, done.stderr)
    assert taken > 20
