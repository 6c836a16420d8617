"""Small images that others made: read to the same bytes as qemu-img reads, or for a stated reason
not."""

from __future__ import annotations

import csv
import hashlib
import lzma
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from diskwright.adapters.qemu_nbd import QemuNbdExporter
from diskwright.errors import ImageRefused
from diskwright.model.units import MIB
from diskwright.ops.opening import reading
from support.image_corpus import folder
from support.opening import opener

# file: what we answer instead of bytes, and why that is right
DIFFERS = {
    "dfvfs-image.vhd": (
        "broken",
        "checksum",
        "its footer's checksum leaves out the UUID, as qemu once wrote it; qemu refuses it too",
    ),
    "dfvfs-corrupt1.gz": (
        "broken",
        "truncated",
        "half of a gzip stream: qemu was told that it is raw, as --input-format raw says it",
    ),
    "go-diskfs-volrecords.iso": (
        "broken",
        "extension-differs",
        "sectors of an ISO without a volume: qemu was told raw, as --input-format raw says it",
    ),
    "util-linux-luks2.img.xz": (
        "broken",
        "offset-past-end",
        "4 KiB of a LUKS2 volume: its JSON area is not in it; qemu was told that it is raw",
    ),
    "dfvfs-image-differential.vhd": (
        "unsafe",
        "reference-outside",
        "its bytes are those that differ from a parent, which it names",
    ),
}


def rows() -> list[dict[str, str]]:
    with (folder() / "public" / "MANIFEST.tsv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


ROWS = rows()


def blocks(path: Path) -> Iterator[bytes]:
    with opener().source(str(path)) as source, reading(source, QemuNbdExporter()) as reader:
        for offset in range(0, reader.size, MIB):
            buffer = bytearray(min(MIB, reader.size - offset))
            reader.read_into(offset, memoryview(buffer))
            yield bytes(buffer)


def by_us(path: Path) -> tuple[str, ...]:
    digest = hashlib.sha256()
    try:
        for block in blocks(path):
            digest.update(block)
    except ImageRefused as refusal:
        return refusal.kind, refusal.code
    return (digest.hexdigest(),)


def by_qemu(path: Path, image_format: str, work: Path) -> tuple[str, ...]:
    """qemu-img, told the right format; what is packed is unpacked for it."""
    if path.suffix == ".xz":
        (work / "content").write_bytes(lzma.decompress(path.read_bytes()))
        path = work / "content"
    subprocess.run(
        ["qemu-img", "convert", "-f", image_format, "-O", "raw", path, work / "raw"], check=True
    )
    return (hashlib.sha256((work / "raw").read_bytes()).hexdigest(),)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["file"])
def test_a_public_file_is_read_as_qemu_reads_it(row: dict[str, str], tmp_path: Path) -> None:
    path = folder() / "public" / row["file"]
    if row["file"] in DIFFERS:
        kind, code, _why = DIFFERS[row["file"]]
        assert by_us(path) == (kind, code)
    else:
        assert by_us(path) == by_qemu(path, row["format"], tmp_path)


def test_the_corpus_is_whole() -> None:
    assert len(ROWS) == 83
    assert set(DIFFERS) <= {row["file"] for row in ROWS}
