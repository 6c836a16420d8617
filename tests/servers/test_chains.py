"""Backing chains: read beneath the folder that the user allowed, and nowhere else."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from diskwright.adapters.qemu_nbd import QemuNbdExporter
from diskwright.blockio.digest import digest_reader
from diskwright.errors import FolderMissing, ImageBroken, ImageUnsafe, ImageUnsupported
from diskwright.formats.limits import CHAIN_DEPTH
from diskwright.model.image import ImageFormat, ReferenceKind
from diskwright.model.units import MIB
from diskwright.ops.opening import Source, look, reading
from support.images import qemu_img, qemu_io
from support.opening import opener

SIZE = "8M"


@contextmanager
def opened(path: Path, beneath: Path | str) -> Iterator[Source]:
    with opener(beneath=beneath).source(str(path)) as source:
        yield source


def digest(path: Path, beneath: Path) -> str:
    with opened(path, beneath) as source, reading(source, QemuNbdExporter()) as reader:
        return digest_reader(reader, threads=2)


def flat_digest(path: Path) -> str:
    """What qemu-img makes of the chain."""
    flat = path.with_suffix(".flat")
    qemu_img("convert", "-O", "raw", path, flat)
    with reading(look(str(flat), input_format=ImageFormat.RAW), QemuNbdExporter()) as reader:
        return digest_reader(reader, threads=2)


def base(folder: Path, name: str = "base.qcow2") -> Path:
    folder.mkdir(exist_ok=True, parents=True)
    qemu_img("create", "-q", "-f", "qcow2", folder / name, SIZE)
    qemu_io(folder / name, "write -P 0x11 0 2M", "write -P 0x22 5M 64k")
    return folder / name


def overlay(path: Path, backing: str, backing_format: str = "qcow2", at: str = "") -> Path:
    """`backing` is written down as it stands; with `at` it is there, and that much differs."""
    options = ["-u", "-F", backing_format, "-b", backing]
    qemu_img("create", "-q", "-f", "qcow2", *options, path, SIZE)
    if at:
        qemu_io(path, f"write -P 0x33 {at} 128k")
    return path


def test_a_chain_reads_as_qemu_reads_it(tmp_path: Path) -> None:
    base(tmp_path)
    overlay(tmp_path / "one.qcow2", "base.qcow2", at="1M")
    top = overlay(tmp_path / "two.qcow2", "one.qcow2", at="5M")
    assert digest(top, tmp_path) == flat_digest(top)
    with opened(top, tmp_path) as source:
        assert [Path(one.path).name for one in source.disk.files()] == [
            "two.qcow2",
            "one.qcow2",
            "base.qcow2",
        ]
        assert [(r.kind, r.name) for r in source.facts.references] == [
            (ReferenceKind.BACKING, "one.qcow2")
        ]


def test_a_raw_backing_file_is_read_as_raw_whatever_it_holds(tmp_path: Path) -> None:
    inner = base(tmp_path)
    inner.rename(tmp_path / "base.img")
    top = overlay(tmp_path / "top.qcow2", "base.img", "raw", at="1M")
    assert digest(top, tmp_path) == flat_digest(top)
    with opened(top, tmp_path) as source:
        assert source.disk.backing is not None
        assert (source.disk.backing.format, source.disk.backing.backing) == ("raw", None)


def test_a_qed_chain_reads_as_qemu_reads_it(tmp_path: Path) -> None:
    base(tmp_path)
    top = tmp_path / "top.qed"
    qemu_img("create", "-q", "-f", "qed", "-F", "qcow2", "-b", "base.qcow2", top)
    assert digest(top, tmp_path) == flat_digest(top)


@pytest.mark.parametrize("down", ["sub/base.qcow2", "./sub/../sub/base.qcow2"])
def test_folders_beneath_it_are_allowed(tmp_path: Path, down: str) -> None:
    base(tmp_path / "sub")
    top = overlay(tmp_path / "top.qcow2", down, at="1M")
    assert digest(top, tmp_path) == flat_digest(top)


def test_the_folder_may_be_named_by_a_link_and_the_backing_file_absolutely(tmp_path: Path) -> None:
    real = tmp_path / "real"
    found = base(real)
    (tmp_path / "link").symlink_to(real)
    top = overlay(real / "top.qcow2", str(found))
    assert digest(top, tmp_path / "link") == flat_digest(top)


@pytest.mark.parametrize(
    "name",
    [
        "../out.qcow2",
        "sub/../../out.qcow2",
        "/etc/passwd",
        "/",
        ".",
        "nbd:localhost:10809",
        "nbd://127.0.0.1:10809/x",
        "fat:/etc",
        'json:{"driver":"file","filename":"/etc/passwd"}',
        "link.qcow2",
        "linked/base.qcow2",
        "fifo",
        "sub",
    ],
)
def test_nothing_outside_of_it_is_opened(tmp_path: Path, name: str) -> None:
    inside = tmp_path / "in"
    base(inside / "sub")
    base(tmp_path, "out.qcow2")
    (inside / "link.qcow2").symlink_to("sub/base.qcow2")  # inside, and a link all the same
    (inside / "linked").symlink_to("sub")
    os.mkfifo(inside / "fifo")
    top = overlay(inside / "top.qcow2", name)
    with pytest.raises(ImageUnsafe) as caught, opened(top, inside):
        pass
    assert caught.value.code == "reference-outside"


def test_an_image_of_the_folder_itself_may_lie_elsewhere(tmp_path: Path) -> None:
    base(tmp_path / "in")
    top = overlay(tmp_path / "top.qcow2", "in/base.qcow2")
    assert digest(top, tmp_path / "in") == flat_digest(top)


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    top = overlay(tmp_path / "top.qcow2", "gone.qcow2")
    with pytest.raises(ImageBroken, match=r"gone\.qcow2") as caught, opened(top, tmp_path):
        pass
    assert caught.value.code == "reference-missing"


def test_a_chain_that_comes_back_to_itself_ends(tmp_path: Path) -> None:
    overlay(tmp_path / "a.qcow2", "b.qcow2")
    top = overlay(tmp_path / "b.qcow2", "a.qcow2")
    with pytest.raises(ImageBroken) as caught, opened(top, tmp_path):
        pass
    assert caught.value.code == "chain-loop"


@pytest.mark.parametrize("depth", [CHAIN_DEPTH, CHAIN_DEPTH + 1])
def test_a_chain_has_an_end(tmp_path: Path, depth: int) -> None:
    base(tmp_path, "0")
    for number in range(1, depth + 1):
        overlay(tmp_path / str(number), str(number - 1))
    top = tmp_path / str(depth)
    if depth == CHAIN_DEPTH:
        assert digest(top, tmp_path) == flat_digest(top)
        return
    with pytest.raises(ImageUnsupported) as caught, opened(top, tmp_path):
        pass
    assert caught.value.code == "chain-too-deep"


def test_a_backing_file_of_another_format_than_is_said_is_refused(tmp_path: Path) -> None:
    (tmp_path / "base.img").write_bytes(bytes(MIB))
    top = overlay(tmp_path / "top.qcow2", "base.img", "qcow2")
    with pytest.raises(ImageBroken) as caught, opened(top, tmp_path):
        pass
    assert caught.value.code == "reference-format"


def test_a_broken_file_of_the_chain_is_named(tmp_path: Path) -> None:
    found = base(tmp_path)
    top = overlay(tmp_path / "top.qcow2", "base.qcow2")
    os.truncate(found, 300_000)
    with pytest.raises(ImageBroken) as caught, opened(top, tmp_path):
        pass
    assert caught.value.path == str(found)


def test_an_external_data_file_is_not_read_even_there(tmp_path: Path) -> None:
    top = tmp_path / "top.qcow2"
    options = ["-o", f"data_file={tmp_path / 'data'},data_file_raw=on"]
    qemu_img("create", "-q", "-f", "qcow2", *options, top, SIZE)
    with pytest.raises(ImageUnsupported) as caught, opened(top, tmp_path):
        pass
    assert caught.value.code == "data-file"


@pytest.mark.parametrize(
    "subformat", ["monolithicFlat", "twoGbMaxExtentFlat", "twoGbMaxExtentSparse"]
)
def test_a_vmdk_in_several_files_reads_as_qemu_reads_it(tmp_path: Path, subformat: str) -> None:
    made = base(tmp_path)
    top = tmp_path / "top.vmdk"
    size = 5 << 30 if subformat == "twoGbMaxExtentSparse" else 8 * MIB
    qemu_img("resize", "-q", made, size)
    qemu_img("convert", "-O", "vmdk", "-o", f"subformat={subformat}", made, top)
    with pytest.raises(ImageUnsafe), opener().source(str(top)):
        pass
    assert digest(top, tmp_path) == flat_digest(top)
    with opened(top, tmp_path) as source:
        assert len(source.disk.extents) == len(list(tmp_path.glob("top-*.vmdk")))


def test_a_vmdk_in_hundreds_of_files_is_opened(tmp_path: Path) -> None:
    count = 300
    lines = [f'RW 2048 FLAT "part-{number}.vmdk" 0' for number in range(count)]
    for number in range(count):
        (tmp_path / f"part-{number}.vmdk").write_bytes(number.to_bytes(2, "big") * (MIB // 2))
    top = tmp_path / "top.vmdk"
    head = "# Disk DescriptorFile\nversion=1\nCID=fffffffe\nparentCID=ffffffff\n"
    kind = 'createType="twoGbMaxExtentFlat"\n'
    tail = '\nddb.geometry.cylinders = "600"\nddb.geometry.heads = "16"\n'
    top.write_text(head + kind + "\n".join(lines) + tail)
    assert digest(top, tmp_path) == flat_digest(top)


@pytest.mark.parametrize("unconfined", [False, True])
def test_the_files_beside_a_linked_descriptor_are_those_that_were_judged(
    tmp_path: Path, unconfined: bool
) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    for folder, letter in ((here, b"h"), (there, b"t")):
        folder.mkdir()
        qemu_img(
            "create",
            "-q",
            "-f",
            "vmdk",
            "-o",
            "subformat=monolithicFlat",
            folder / "top.vmdk",
            "1M",
        )
        (folder / "top-flat.vmdk").write_bytes(letter * MIB)
    (here / "top.vmdk").unlink()
    (here / "top.vmdk").symlink_to("../there/top.vmdk")
    exporter = QemuNbdExporter(unconfined=unconfined)
    with opened(here / "top.vmdk", here) as source, reading(source, exporter) as reader:
        buffer = bytearray(4)
        reader.read_into(0, memoryview(buffer))
        assert buffer == b"hhhh"


def test_a_sparse_file_is_one_part_only(tmp_path: Path) -> None:
    made, top = base(tmp_path), tmp_path / "top.vmdk"
    qemu_img("convert", "-O", "vmdk", "-o", "subformat=twoGbMaxExtentSparse", made, top)
    text = top.read_text().split("\n")
    (line,) = [line for line in text if line.startswith("RW ")]
    text.insert(text.index(line), line)
    top.write_text("\n".join(text))
    with pytest.raises(ImageBroken, match="two of its parts are one file"), opened(top, tmp_path):
        pass


def test_a_name_that_is_no_utf_8_is_nobody_elses(tmp_path: Path) -> None:
    base(tmp_path, "\N{REPLACEMENT CHARACTER}.qcow2")
    top = overlay(tmp_path / "top.qcow2", "xxx.qcow2")
    top.write_bytes(top.read_bytes().replace(b"xxx.qcow2", b"\xff.qcow2".rjust(9, b"/")))
    top.write_bytes(top.read_bytes().replace(b"//\xff.qcow2", b"./\xff.qcow2"))
    with pytest.raises(ImageUnsafe) as caught, opened(top, tmp_path):
        pass
    assert caught.value.code == "reference-outside"


def test_an_extent_that_is_too_short_is_refused(tmp_path: Path) -> None:
    top = tmp_path / "top.vmdk"
    qemu_img("convert", "-O", "vmdk", "-o", "subformat=monolithicFlat", base(tmp_path), top)
    os.truncate(tmp_path / "top-flat.vmdk", 8 * MIB - 512)
    with pytest.raises(ImageBroken) as caught, opened(top, tmp_path):
        pass
    assert caught.value.code == "offset-past-end"


def test_a_vmdk_and_its_parent_read_as_qemu_reads_them(tmp_path: Path) -> None:
    parent, top = tmp_path / "base.vmdk", tmp_path / "top.vmdk"
    qemu_img("convert", "-O", "vmdk", base(tmp_path), parent)
    qemu_img("create", "-q", "-f", "vmdk", "-F", "vmdk", "-b", parent, top)
    long, short = f'"{parent}"'.encode(), b'"base.vmdk"'
    top.write_bytes(top.read_bytes().replace(long, short.ljust(len(long), b"\n")))
    assert digest(top, tmp_path) == flat_digest(top)
    with opened(top, tmp_path) as source:
        assert source.disk.backing is not None


def test_the_folder_has_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(FolderMissing), opened(base(tmp_path), tmp_path / "gone"):
        pass
