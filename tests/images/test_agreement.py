"""Our reading of a file's metadata is qemu's, over every file of the corpora, or is explained.

qemu-img is told the format, which it would guess otherwise; `info` says the size, `check` whether
the tables are sound. It is not asked to check what names other files of a stranger's choice.
"""

from __future__ import annotations

import csv
import lzma
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from diskwright.adapters.qemu_nbd import QemuNbdExporter
from diskwright.errors import ImageRefused
from diskwright.model.image import ImageFormat
from diskwright.ops.opening import reading
from support.image_corpus import folder
from support.opening import opener
from support.qemu_opinion import opinion


@dataclass(frozen=True)
class File:
    """`trusted`: made by us, so that what it names may be followed, in its own folder."""

    path: Path
    format: str
    trusted: bool = False


def ours(file: File) -> str:
    beneath = file.path.parent if file.trusted else None
    try:
        with opener(beneath=beneath).source(str(file.path)) as source:
            if source.facts.compressed:  # only reading shows whether it can be unpacked
                with reading(source, QemuNbdExporter()) as reader:
                    reader.read_into(0, memoryview(bytearray(512)))
            facts = source.facts
            known = ImageFormat.RAW if facts.format is ImageFormat.ISO else facts.format
            return f"{known.value} {facts.virtual_size}"
    except ImageRefused as refused:
        return refused.code


def theirs(file: File, said: str, work: Path) -> str:
    path = file.path
    if path.suffix == ".xz":
        path = work / "content"
        path.write_bytes(lzma.decompress(file.path.read_bytes()))
    return opinion(path, file.format, check=said != "reference-outside")


def agree(one: str, other: str) -> bool:
    refused = " " not in one
    return other.startswith("refused") if refused else one == other


def differences(files: Iterator[File], work: Path) -> dict[str, tuple[str, str]]:
    found = {}
    for file in files:
        said = ours(file)
        qemu = theirs(file, said, work)
        if not agree(said, qemu):
            found[file.path.name] = (said, qemu)
    return found


def manifest(name: str) -> list[dict[str, str]]:
    with (folder() / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


def hostile(work: Path) -> Iterator[File]:
    for row in manifest("hostile/MANIFEST.tsv"):
        path = work / row["file"]
        shutil.copyfile(folder() / "hostile" / row["file"], path)
        first = row["format"].partition("+")[0]
        yield File(path, "raw" if first in ("gzip", "iso") else first)


def public() -> Iterator[File]:
    for row in manifest("public/MANIFEST.tsv"):
        yield File(folder() / "public" / row["file"], row["format"])


def disks(kind: str) -> Iterator[File]:
    for row in manifest("MANIFEST.tsv"):
        if row["file"].startswith(f"{kind}/"):
            yield File(folder() / row["file"], row["format"], trusted=True)


def isos() -> Iterator[File]:
    for row in manifest("iso/MANIFEST.tsv"):
        yield File(folder() / "iso" / row["file"], "raw")


def variants(made: Path) -> Iterator[File]:
    with (made / "MANIFEST.tsv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines, delimiter="\t"):
            known = ImageFormat.VHD.value if row["format"] == "vpc" else row["format"]
            yield File(made / row["file"], known, trusted=True)


FOLLOWS = "qemu opens what it names, or would; we only where its folder is allowed"
NO_SUCH = "qemu is told that these bytes are raw, which knows no limits and nothing that is packed"
IN_IT = "qemu knows no ISO: to it these bytes are a disk, as they are to us once `iso` is not asked"

# file: what we say, what qemu-img says, and why that is right.
HOSTILE = {
    "gz-bomb.img.gz": ("compressed-container", "raw 261120", NO_SUCH),
    "iso-dir-loop.iso": ("directory-loop", "raw 81920", IN_IT),
    "iso-eltorito-past-eof.iso": ("offset-past-end", "raw 81920", IN_IT),
    "qcow2-backing-etc-passwd.qcow2": ("reference-outside", "qcow2 1048576", FOLLOWS),
    "qcow2-backing-json.qcow2": ("reference-outside", "qcow2 1048576", FOLLOWS),
    "qcow2-backing-nbd.qcow2": ("reference-outside", "qcow2 1048576", FOLLOWS),
    "qcow2-backing-relative.qcow2": ("reference-outside", "qcow2 1048576", FOLLOWS),
    "qcow2-compressed-garbage.qcow2": (
        "compressed-data",
        "qcow2 1048576",
        "its check does not unpack; its convert fails as we do",
    ),
    "qcow2-corrupt.qcow2": (
        "marked-corrupt",
        "qcow2 1048576",
        "qemu reads a file that was marked as corrupt, and only does not write to it",
    ),
    "qcow2-datafile-name-without-bit.qcow2": (
        "reference-outside",
        "qcow2 1048576",
        "qemu passes over the name, as the bit is clear; nobody honest writes one without the bit",
    ),
    "qcow2-datafile-shadow.qcow2": ("reference-outside", "qcow2 1048576", FOLLOWS),
    "qcow2-size-unaligned.qcow2": (
        "size-unaligned",
        "qcow2 1048576",
        "qemu drops the last byte without a word",
    ),
    "raw-starts-with-QFI.raw": (
        "format-ambiguous",
        "raw 393216",
        "qemu was told which of the two it is; so can we be",
    ),
    "size-0.raw": ("too-short", "raw 0", NO_SUCH),
    "size-1.raw": ("too-short", "raw 512", NO_SUCH),
    "size-511.raw": ("too-short", "raw 512", NO_SUCH),
    "vdi-size-0.vdi": ("header-inconsistent", "vdi 0", "a disk of no bytes with four blocks"),
    "vhd-chs-differs.vhd": (
        "vhd 1048576",
        "vhd 1044480",
        "qemu goes by the geometry, and cuts the last 4 KiB off; we tell it the size",
    ),
    "vhd-differencing.vhd": (
        "reference-outside",
        "vhd 1044480",
        "qemu reads the bytes that differ from a parent as if they were the whole disk",
    ),
    "vhdx-log-not-empty.vhdx": (
        "journal-not-replayed",
        "vhdx 8388608",
        "the log it names is empty, and qemu is content; we don't look into logs",
    ),
    "vmdk-extent-dotdot.vmdk": ("reference-outside", "vmdk 4096", FOLLOWS),
    "vmdk-extent-etc-passwd.vmdk": ("reference-outside", "vmdk 4096", FOLLOWS),
    "vmdk-gd-past-eof.vmdk": (
        "offset-past-end",
        "vmdk 1048576",
        "to qemu what lies past the end of the file is zeros: a disk of nothing",
    ),
    "vmdk-grain-3.vmdk": (
        "header-inconsistent",
        "vmdk 1048576",
        "the specification wants a power of two; qemu does not ask",
    ),
    "vmdk-newline-test.vmdk": (
        "text-mode-transfer",
        "vmdk 1048576",
        "qemu does not look at the bytes that tell of a transfer as text",
    ),
    "vmdk-parent-hint.vmdk": ("reference-outside", "vmdk 1048576", FOLLOWS),
}
PUBLIC = {
    "dfvfs-corrupt1.gz": ("truncated", "raw 196608", NO_SUCH),
    "go-diskfs-volrecords.iso": ("extension-differs", "raw 8192", "no volume in it, told raw"),
    "util-linux-luks2.img.xz": ("offset-past-end", "raw 4096", "half of a LUKS2 header, told raw"),
}
VARIANTS = {
    "appliance.ova": ("vmdk 67108864", "refused", "qemu reads no packages, only the disk in one"),
    "luks.luks": ("encryption", "luks 67108864", "qemu tells the size without the passphrase"),
}


def explained(table: dict[str, tuple[str, str, str]]) -> dict[str, tuple[str, str]]:
    return {name: (one, other) for name, (one, other, _why) in table.items()}


def test_the_hostile_files() -> None:
    # one of them counts three folders up to the root
    with tempfile.TemporaryDirectory(dir="/var/tmp") as work:
        assert differences(hostile(Path(work)), Path(work)) == explained(HOSTILE)


def test_the_public_files(tmp_path: Path) -> None:
    assert differences(public(), tmp_path) == explained(PUBLIC)


@pytest.mark.parametrize("kind", ["linux", "windows"])
def test_installed_disks(kind: str, tmp_path: Path) -> None:
    assert differences(disks(kind), tmp_path) == {}


def test_the_isos(tmp_path: Path) -> None:
    assert differences(isos(), tmp_path) == {}


def test_every_variant_that_qemu_writes(made: Path, tmp_path: Path) -> None:
    assert differences(variants(made), tmp_path) == explained(VARIANTS)
