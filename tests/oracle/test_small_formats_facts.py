"""What is read of QED, qcow version 1, Parallels and LUKS agrees with qemu-img."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from diskwright.errors import ImageRefused, ImageUnsupported
from diskwright.formats import luks
from diskwright.formats import qcow1 as parse_qcow1
from diskwright.formats import qed as parse_qed
from support.images import look_at, patterned, qemu_img, qemu_info
from support.looking import read
from support.small_images import luks1, parallels, qcow1, qed

USED, FREE = 0x00AC71F3, 0x0000DEAD
VARIANTS = {
    "qed": ("qed", ""),
    "qed 4K": ("qed", "cluster_size=4k"),
    "qed 2M": ("qed", "cluster_size=2M,table_size=2"),
    "qed tables of 16": ("qed", "table_size=16"),
    "qcow": ("qcow", ""),
    "parallels": ("parallels", ""),
    "parallels 63": ("parallels", "cluster_size=32256"),
    "parallels 64K": ("parallels", "cluster_size=64k"),
}
# Out of order, across cluster borders, single sectors, zeros, and the disk's last sector
WRITES = (
    "write -P 3 7000064 512",
    "write -P 1 0 70000",
    "write -z 4194304 1M",
    "write -P 2 3000000 100",
    "write -P 5 9999872 512",
)


def written(path: Path, image_format: str, *commands: str) -> None:
    words = [word for command in commands for word in ("-c", command)]
    argv = ["qemu-io", "-f", image_format, *words, str(path)]
    subprocess.run(argv, check=True, capture_output=True)


def agree(path: Path, image_format: str) -> None:
    info = qemu_info(path, image_format)
    facts = look_at(path)
    assert facts.format == image_format
    assert facts.virtual_size == info["virtual-size"]
    assert facts.allocated == info["actual-size"]
    if "cluster-size" in info:
        assert facts.cluster_size == info["cluster-size"]
    assert facts.problems == ()
    if image_format != "qcow":  # which qemu-img can't check
        qemu_img("check", "-q", "-f", image_format, path)


@pytest.mark.parametrize("variant", VARIANTS)
def test_an_empty_and_a_written_image_agree(variant: str, tmp_path: Path) -> None:
    image_format, options = VARIANTS[variant]
    path = tmp_path / "disk.img"
    extra = ["-o", options] if options else []
    qemu_img("create", "-q", "-f", image_format, *extra, path, 10_000_384)
    agree(path, image_format)
    written(path, image_format, *WRITES)
    agree(path, image_format)


def test_a_compressed_qcow_agrees(tmp_path: Path) -> None:
    raw, path = tmp_path / "disk.raw", tmp_path / "disk.qcow"
    raw.write_bytes(patterned("AB0~C~~0D" * 5) + b"tail".ljust(4096))
    argv = ["qemu-img", "convert", "-c", "-f", "raw", "-O", "qcow", str(raw), str(path)]
    subprocess.run(argv, check=False, capture_output=True)  # 7.2 says 1 for a whole file
    qemu_img("compare", "-f", "raw", "-F", "qcow", raw, path)
    agree(path, "qcow")
    assert look_at(path).compressed
    written(path, "qcow", "write -P 7 1000 3000", "write -P 8 262144 4096")
    agree(path, "qcow")


@pytest.mark.parametrize(
    ("image_format", "clean", "dirty"),
    [
        ("qed", qed(), qed(features=2)),
        ("parallels", parallels(), parallels(in_use=0x746F6E59)),
    ],
)
def test_a_file_that_was_not_closed_is_read_by_qemu_as_if_it_were(
    image_format: str, clean: bytes, dirty: bytes, tmp_path: Path
) -> None:
    disks = []
    for index, content in enumerate((clean, dirty)):
        path, disk = tmp_path / f"{index}.img", tmp_path / f"{index}.raw"
        path.write_bytes(content)
        qemu_img("convert", "-f", image_format, "-O", "raw", path, disk)
        disks.append(disk.read_bytes())
        codes = [problem.code for problem in look_at(path).problems]
        assert codes == ([] if index == 0 else ["dirty"])
    assert disks[0] == disks[1]


@pytest.mark.parametrize(
    ("image_format", "content"),
    [
        ("qed", qed(clusters=7)),
        ("qcow", qcow1()),
        ("parallels", parallels(clusters=4, bat=[3, 0, 1, 2])),
    ],
)
def test_the_tests_own_images_are_good_ones(
    image_format: str, content: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "disk.img"
    path.write_bytes(content)
    agree(path, image_format)


@pytest.mark.parametrize("image_format", ["qed", "qcow"])
def test_a_backing_file_that_qemu_writes_is_unsafe(image_format: str, tmp_path: Path) -> None:
    base, delta = tmp_path / "base.raw", tmp_path / "delta.img"
    base.write_bytes(bytes(1 << 20))
    argv = ["create", "-q", "-f", image_format, "-b", base, "-F", "raw", delta]
    qemu_img(*argv)
    with pytest.raises(ImageRefused) as caught:
        look_at(delta)
    assert (caught.value.kind, caught.value.code) == ("unsafe", "reference-outside")
    assert str(base)[:60] in caught.value.detail
    reader = {"qed": parse_qed.read_facts, "qcow": parse_qcow1.read_facts}[image_format]
    (reference,) = read(reader, delta.read_bytes(), follow=True).references
    assert reference.name == qemu_info(delta, image_format)["backing-filename"]


def test_tables_of_one_cluster_are_refused_because_qemu_refuses_them(tmp_path: Path) -> None:
    path = tmp_path / "disk.qed"
    argv = ["qemu-img", "create", "-q", "-f", "qed", "-o", "table_size=1", str(path), "8M"]
    subprocess.run(argv, check=False, capture_output=True)
    info = subprocess.run(["qemu-img", "info", "-f", "qed", str(path)], capture_output=True)
    assert info.returncode != 0
    with pytest.raises(ImageUnsupported):
        look_at(path)


def test_an_encrypted_qcow_is_unsupported(tmp_path: Path) -> None:
    path = tmp_path / "disk.qcow"
    secret = ["--object", "secret,id=s,data=made-up"]
    options = ["-o", "encrypt.format=aes,encrypt.key-secret=s"]
    qemu_img("create", "-q", *secret, "-f", "qcow", *options, path, "4M")
    with pytest.raises(ImageUnsupported) as caught:
        look_at(path)
    assert caught.value.code == "encryption"


def test_a_luks_header_says_what_qemu_reads_in_it(tmp_path: Path) -> None:
    path = tmp_path / "disk.luks"
    slots = tuple((USED if index in (0, 3) else FREE, 8 + 512 * index, 4000) for index in range(8))
    path.write_bytes(luks1(slots=slots, key_bytes=64, payload=8192, size=8200 * 512))
    info = qemu_info(path, "luks")["format-specific"]["data"]
    facts = read(luks.read_header, path.read_bytes())
    cipher = f"{info['cipher-alg'].split('-')[0]}-{info['cipher-mode']}-{info['ivgen-alg']}"
    assert facts.cipher == cipher
    assert facts.uuid == info["uuid"]
    assert facts.payload_offset == info["payload-offset"]
    assert facts.key_slots == sum(slot["active"] for slot in info["slots"]) == 2
