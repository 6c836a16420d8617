"""`dw1` is what docs/disk-digest.md says, by its vectors and by a few lines of our own here."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from diskwright.blockio.digest import DigestIncomplete, DiskDigest, digest_reader
from diskwright.blockio.memory import MemoryReader
from diskwright.model.extent import Extent, ExtentKind
from support.disks import contents, copy_threads

MIB = 1 << 20
VECTORS = json.loads(
    (Path(__file__).parents[2] / "docs" / "vectors" / "dw1.json").read_text(encoding="utf-8")
)


def plainly(disk: bytes) -> str:
    """The specification in three lines."""
    padded = disk + bytes(-len(disk) % MIB)
    blocks = (padded[i : i + MIB] for i in range(0, len(padded), MIB))
    digests = b"".join(hashlib.sha256(block).digest() for block in blocks)
    return hashlib.sha256(len(disk).to_bytes(8, "big") + digests).hexdigest()


def reader_of(vector: dict[str, Any]) -> MemoryReader:
    pieces = {p["offset"]: bytes([p["byte"]]) * p["length"] for p in vector["pieces"]}
    return MemoryReader(vector["virtual_size"], pieces)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["name"])
def test_vectors(vector: dict[str, Any]) -> None:
    assert digest_reader(reader_of(vector), threads=2) == vector["dw1"]


SMALL = [v for v in VECTORS if v["virtual_size"] <= 16 * MIB]


@pytest.mark.parametrize("vector", SMALL, ids=lambda v: v["name"])
def test_vectors_by_other_means(vector: dict[str, Any]) -> None:
    assert plainly(contents(reader_of(vector))) == vector["dw1"]


def test_the_constant_of_the_document_is_the_digest_of_zeros() -> None:
    document = (Path(__file__).parents[2] / "docs" / "disk-digest.md").read_text(encoding="utf-8")
    assert hashlib.sha256(bytes(MIB)).hexdigest() in document


def test_holes_zeros_and_zero_data_are_one_disk() -> None:
    digests = {
        digest_reader(MemoryReader.of_picture(picture, unit=MIB), threads=2)
        for picture in ("A-B-", "A0B0", "A.B.", "A-B0")
    }
    assert digests == {plainly(b"A" * MIB + bytes(MIB) + b"B" * MIB + bytes(MIB))}


def test_only_windows_with_data_are_read() -> None:
    reader = MemoryReader.of_picture("A" + "-" * 40, unit=MIB)
    digest_reader(reader, threads=2)
    assert reader.reads == 1


def test_blocks_may_come_in_any_order() -> None:
    reader = MemoryReader.of_picture("ABCDE", unit=MIB, size=4 * MIB + 512)
    disk = memoryview(contents(reader))
    digest = DiskDigest(reader.size)
    for block in (4, 2, 0, 3, 1):
        digest.update(block * MIB, disk[block * MIB : (block + 1) * MIB])
    assert digest.hexdigest(reader.extents(0, reader.size), reader.read_into) == plainly(
        bytes(disk)
    )


@pytest.mark.parametrize("left_out", range(3))
def test_a_block_of_data_that_was_not_hashed_is_an_error(left_out: int) -> None:
    reader = MemoryReader.of_picture("ABC", unit=MIB)
    digest = DiskDigest(reader.size)
    for block in {0, 1, 2} - {left_out}:
        digest.update(block * MIB, memoryview(bytes(MIB)))
    with pytest.raises(DigestIncomplete, match=f"block {left_out} "):
        digest.hexdigest(reader.extents(0, reader.size), reader.read_into)


def test_a_missing_block_far_away_is_found() -> None:
    reader = MemoryReader(1 << 40, {0: b"a", 1 << 39: b"b"})
    digest = DiskDigest(reader.size)
    digest.update(0, memoryview(b"a" + bytes(MIB - 1)))
    with pytest.raises(DigestIncomplete, match=f"block {(1 << 39) // MIB} "):
        digest.hexdigest(reader.extents(0, reader.size), reader.read_into)


@pytest.mark.parametrize(("picture", "holds"), [("A0B", True), ("ACB", False)])
def test_what_was_a_hole_and_is_data_by_now_has_to_be_zeros(picture: str, holds: bool) -> None:
    """Unwritten extents of a file are a hole or data by what of them is cached at the moment."""
    before, now = (MemoryReader.of_picture(one, unit=MIB) for one in ("A-B", picture))
    digest = DiskDigest(before.size)
    for block in (0, 2):
        digest.update(block * MIB, memoryview(contents(before))[block * MIB : (block + 1) * MIB])
    data = [Extent(0, 3 * MIB, ExtentKind.DATA)]
    if holds:
        assert digest.hexdigest(data, now.read_into) == digest_reader(before, threads=1)
    else:
        with pytest.raises(DigestIncomplete, match="block 1 "):
            digest.hexdigest(data, now.read_into)


@pytest.mark.parametrize(
    ("offset", "length"),
    [(512, MIB), (0, 512), (0, MIB + 512), (2 * MIB, 512), (2 * MIB, 4096), (-MIB, MIB)],
)
def test_parts_of_blocks_are_refused(offset: int, length: int) -> None:
    digest = DiskDigest(2 * MIB + 1024)
    with pytest.raises(ValueError):
        digest.update(offset, memoryview(bytes(length)))


def test_a_failing_read_is_raised_and_the_threads_are_gone() -> None:
    reader = MemoryReader.of_picture("A" * 20, unit=MIB, fail_at=4)
    with pytest.raises(OSError, match="told to fail"):
        digest_reader(reader, threads=2)
    assert not copy_threads()
