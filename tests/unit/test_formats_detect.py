"""The format is decided by the content: by one sign, by a lawful pair, or not at all."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import tarfile
import zipfile
from pathlib import Path

import pytest

from diskwright.errors import (
    ImageBroken,
    ImageUnsafe,
    ImageUnsupported,
    InputUnreadable,
    UsageError,
)
from diskwright.formats.detect import decide, detect
from diskwright.formats.source import ImageSource
from diskwright.model.image import ImageFormat
from support.hostile.iso import iso
from support.hostile.qcow2 import qcow2
from support.hostile.tables import LINUX, gpt, mbr
from support.hostile.vdi import vdi
from support.hostile.vhd import vhd_dynamic, vhd_footer
from support.hostile.vhdx import vhdx
from support.hostile.vmdk import vmdk_desc, vmdk_sparse
from support.images import look_at

BOOT = bytes(mbr([(0x80, 0x83, 63, 1000)]))
GPT = bytes(gpt([(LINUX, 34, 1000)]))


def decided(tmp_path: Path, content: bytes, requested: ImageFormat | None = None) -> ImageFormat:
    path = tmp_path / "file"
    path.write_bytes(content)
    with path.open("rb") as file:
        matches = detect(file.fileno(), len(content))
    return decide(str(path), len(content), matches, requested=requested)


def archive(*names: str) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name in names:
            entry = tarfile.TarInfo(name)
            entry.size = 700
            tar.addfile(entry, io.BytesIO(b"x" * 700))
    return packed.getvalue()


def zipped() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("disk.raw", bytes(700))
    return packed.getvalue()


def udf(*, sector: int = 2048) -> bytes:
    """With its anchor, in sectors of so many bytes."""
    volume = bytearray(257 * 2048)
    volume[256 * sector : 256 * sector + 2] = b"\2\0"
    for index, name in enumerate((b"BEA01", b"NSR03", b"TEA01")):
        volume[32769 + index * 2048 : 32774 + index * 2048] = name
    return bytes(volume)


SIGNS = {
    "zeros": (bytes(4096), ImageFormat.RAW),
    "mbr": (BOOT, ImageFormat.RAW),
    "gpt": (GPT, ImageFormat.RAW),
    "a boot sector without a table": (b"\xeb\x3c\x90".ljust(510, b"\0") + b"\x55\xaa", "raw"),
    "qcow2 v2": (qcow2(version=2), ImageFormat.QCOW2),
    "qcow2 v3": (qcow2(), ImageFormat.QCOW2),
    "qcow v1": (qcow2(version=1), ImageFormat.QCOW),
    "sparse vmdk": (vmdk_sparse(), ImageFormat.VMDK),
    "esx cow": (b"COWD".ljust(2048, b"\0"), ImageFormat.VMDK),
    "vmdk text": (vmdk_desc('RW 8 FLAT "x" 0'), ImageFormat.VMDK),
    "vmdk text as qemu takes it": (b"# any\n \n# words\nversion=1\n".ljust(600), ImageFormat.VMDK),
    "a shell script": (b"#!/bin/sh\nversion=1x\n".ljust(600), ImageFormat.RAW),
    "dynamic vhd": (vhd_dynamic(), ImageFormat.VHD),
    "fixed vhd": (bytes(1044480) + vhd_footer(), ImageFormat.VHD),
    "fixed vhd, 511 bytes of footer": (bytes(1044480) + vhd_footer()[:511], ImageFormat.VHD),
    "fixed vhd, wrong checksum": (bytes(4096) + vhd_footer(checksum=1), ImageFormat.VHD),
    "fixed vhd with mbr": (BOOT + vhd_footer(), ImageFormat.VHD),
    "fixed vhd with gpt": (GPT + vhd_footer(), ImageFormat.VHD),
    "fixed vhd with iso": (iso() + vhd_footer(), ImageFormat.VHD),
    "vhdx": (vhdx(), ImageFormat.VHDX),
    "vdi": (vdi(), ImageFormat.VDI),
    "qed": (b"QED\0".ljust(4096, b"\0"), ImageFormat.QED),
    "luks": (b"LUKS\xba\xbe\0\2".ljust(4096, b"\0"), ImageFormat.LUKS),
    "iso": (iso(), ImageFormat.ISO),
    "udf": (udf(), ImageFormat.ISO),
    "udf of a hard disk": (udf(sector=512), ImageFormat.RAW),
    "iso with mbr": (BOOT[:512] + iso()[512:], ImageFormat.ISO),
    "iso with gpt": (GPT[:32768] + iso()[32768:], ImageFormat.ISO),
    "gzip": (gzip.compress(b"x"), ImageFormat.GZIP),
    "gzip with a table's mark by chance": (
        (b"\x1f\x8b\x08" + b"\xa5" * 507 + b"\x55\xaa"),
        ImageFormat.GZIP,
    ),
    "xz": (lzma.compress(b"x"), ImageFormat.XZ),
    "bzip2": (bz2.compress(b"x"), ImageFormat.BZIP2),
    "empty bzip2": (bz2.compress(b""), ImageFormat.BZIP2),
    "zstd of several threads": (b"\x50\x2a\x4d\x18\4\0\0\0".ljust(20, b"\1"), ImageFormat.ZSTD),
    "zstd": (b"\x28\xb5\x2f\xfd".ljust(20, b"\0"), ImageFormat.ZSTD),
    "zip": (zipped(), ImageFormat.ZIP),
    "ova": (archive("web.ovf", "web.vmdk"), ImageFormat.OVA),
    "ova, descriptor second": (archive("web.mf", "WEB.OVF"), ImageFormat.OVA),
    "a tar archive of other things": (archive("a", "b"), ImageFormat.TAR),
}


@pytest.mark.parametrize("sign", SIGNS)
def test_a_file_is_what_its_bytes_say(sign: str, tmp_path: Path) -> None:
    content, expected = SIGNS[sign]
    assert decided(tmp_path, content) == expected


AMBIGUOUS = {
    "bootable disk that begins as qcow2": qcow2()[:446] + BOOT[446:],
    "gpt that begins as qcow2": qcow2()[:512] + GPT[512:],
    "qcow2 with an iso": qcow2()[:32768] + iso()[32768:],
    "qcow2 with a vhd footer": qcow2() + vhd_footer(),
    "gzip with a partition table": b"\x1f\x8b\x08" + BOOT[3:],
    "vdi with a partition table": BOOT[:64] + vdi()[64:68] + BOOT[68:],
    "iso that begins as vmdk": vmdk_sparse()[:32768] + iso()[32768:],
    "table with a footer of no fixed vhd": BOOT + vhd_footer(kind=3),
}


@pytest.mark.parametrize("case", AMBIGUOUS)
def test_two_formats_in_one_file_are_unsafe(case: str, tmp_path: Path) -> None:
    with pytest.raises(ImageUnsafe) as caught:
        decided(tmp_path, AMBIGUOUS[case])
    assert caught.value.code == "format-ambiguous"
    assert "--input-format" in caught.value.hint


def test_the_user_chooses_among_what_matched_or_raw(tmp_path: Path) -> None:
    both = AMBIGUOUS["qcow2 with an iso"]
    for chosen in (ImageFormat.QCOW2, ImageFormat.ISO, ImageFormat.RAW):
        assert decided(tmp_path, both, chosen) is chosen
    assert decided(tmp_path, qcow2(), ImageFormat.RAW) is ImageFormat.RAW
    with pytest.raises(UsageError) as caught:
        decided(tmp_path, both, ImageFormat.VMDK)
    assert "raw, qcow2, iso" in caught.value.hint


@pytest.mark.parametrize("size", [0, 1, 511])
def test_a_disk_of_less_than_a_sector_is_too_short(size: int, tmp_path: Path) -> None:
    for requested in (None, ImageFormat.RAW):
        with pytest.raises(ImageBroken) as caught:
            decided(tmp_path, bytes(size), requested)
        assert caught.value.code == "too-short"


def test_signs_beyond_the_first_mebibyte_do_not_count(tmp_path: Path) -> None:
    inside = bytes(2 << 20) + qcow2() + bytes(1 << 20)
    assert decided(tmp_path, inside) is ImageFormat.RAW


@pytest.mark.parametrize("name", ["disk.gz", "disk.raw.xz", "disk"])
def test_a_compressed_container_is_named_whatever_its_name(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(gzip.compress(bytes(4096)))
    with pytest.raises(ImageUnsupported) as caught:
        look_at(path)
    assert caught.value.code == "compressed-container"
    assert "gzip" in caught.value.message


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("disk.raw", qcow2(), "extension-differs"),
        ("disk.vmdk", qcow2(), "extension-differs"),
        ("DISK.QCOW2", bytes(4096), "extension-differs"),
        ("disk.iso", bytes(4096), "extension-differs"),
        ("disk.qcow2", qcow2(), None),
        ("disk.raw", bytes(4096), None),
        ("disk.img", qcow2(), None),
        ("disk.img", bytes(4096), None),
        ("disk", qcow2(), None),
    ],
)
def test_a_name_that_says_another_format_is_a_problem_and_no_more(
    name: str, content: bytes, problem: str | None, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    problems = look_at(path).problems
    assert [found.code for found in problems] == ([problem] if problem else [])


def test_an_odd_raw_file_keeps_its_size_and_its_disk_is_rounded_up(tmp_path: Path) -> None:
    path = tmp_path / "disk.raw"
    path.write_bytes(b"x" * 1000)
    facts = look_at(path)
    assert (facts.exact_size, facts.virtual_size, facts.file_size) == (1000, 1024, 1000)
    assert [problem.code for problem in facts.problems] == ["size-unaligned"]


def test_holes_of_a_file_are_not_counted_as_allocated(tmp_path: Path) -> None:
    path = tmp_path / "disk.raw"
    with path.open("wb") as file:
        file.write(b"x" * 4096)
        file.truncate(1 << 30)
    facts = look_at(path)
    assert facts.virtual_size == 1 << 30
    assert facts.allocated is not None
    assert 4096 <= facts.allocated < 1 << 20


def test_only_the_first_mebibyte_and_the_last_64_kib_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, int]] = []
    pread = os.pread

    def noting(fd: int, length: int, offset: int) -> bytes:
        seen.append((offset, length))
        return pread(fd, length, offset)

    monkeypatch.setattr("diskwright.formats.source.os.pread", noting)
    decided(tmp_path, bytes(4 << 20))
    assert seen == [(0, 1 << 20), ((4 << 20) - 65536, 65536)]


def test_short_reads_are_read_on_and_a_file_that_became_shorter_is_unreadable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "disk.qcow2"
    path.write_bytes(qcow2(cluster_bits=9))
    whole = look_at(path)
    pread = os.pread
    monkeypatch.setattr(
        "diskwright.formats.source.os.pread", lambda fd, n, at: pread(fd, min(n, 100), at)
    )
    assert look_at(path) == whole
    with path.open("rb") as file:
        longer = ImageSource(file.fileno(), str(path), whole.file_size + 512)
        with pytest.raises(InputUnreadable):
            longer.read(whole.file_size, 512)


def test_a_failing_disk_is_said_to_be_unreadable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(fd: int, length: int, offset: int) -> bytes:
        raise OSError(5, "Input/output error")

    path = tmp_path / "disk.raw"
    path.write_bytes(bytes(4096))
    monkeypatch.setattr("diskwright.formats.source.os.pread", failing)
    with pytest.raises(InputUnreadable) as caught:
        look_at(path)
    assert caught.value.reason == "Input/output error"
