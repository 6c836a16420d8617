"""Every file of the hostile corpus ends as its manifest says: outcome, and short name."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from diskwright.adapters.iso_child import ConfinedIsoReader
from diskwright.adapters.qemu_nbd import QemuNbdExporter
from diskwright.errors import ImageRefused
from diskwright.formats.support import SUPPORT
from diskwright.model.image import ImageFacts, ImageFormat
from diskwright.model.iso import IsoFacts
from diskwright.ops.iso import opened_iso
from diskwright.ops.opening import reading
from support.hostile.corpus import Row, build, names, rows
from support.images import look_at
from support.opening import opener

# What a table says is judged where guests are read. Here it is what a raw disk contains.
TABLES = ("gpt-", "mbr-")
# Only reading its data shows what is wrong with it.
DATA = "qcow2-compressed-garbage.qcow2"

ALL = rows()


def test_the_manifest_and_the_builders_name_the_same_92_files() -> None:
    assert len(ALL) == 92
    assert {row.file for row in ALL} == names()


# The bytes of a gzip file are the deflate library's choice.
@pytest.mark.parametrize("row", [r for r in ALL if r.format != ImageFormat.GZIP], ids=str)
def test_a_file_of_the_corpus_is_built_byte_for_byte(row: Row) -> None:
    assert hashlib.sha256(build(row.file)).hexdigest() == row.sha256


def read_through(path: Path) -> ImageFacts:
    with (
        opener().source(str(path)) as source,
        reading(source, QemuNbdExporter()) as reader,
    ):
        reader.read_into(0, memoryview(bytearray(reader.size)))
        return source.facts


def ending(path: Path) -> ImageFacts | IsoFacts | ImageRefused:
    try:
        if path.suffix == ".iso":  # what is in it is read in a confined child
            with opened_iso(str(path)) as (fd, identity):
                return ConfinedIsoReader().facts(fd, identity)
        if path.name == DATA:
            return read_through(path)
        return look_at(path)
    except ImageRefused as refusal:
        return refusal


def outcome(end: ImageFacts | IsoFacts | ImageRefused) -> tuple[str, str]:
    if isinstance(end, ImageRefused):
        return f"refuse-{end.kind}", end.code
    return "accept", next((problem.code for problem in end.problems), "none")


@pytest.mark.parametrize("row", ALL, ids=str)
def test_a_file_of_the_corpus_ends_as_its_manifest_says(row: Row, tmp_path: Path) -> None:
    path = tmp_path / row.file
    path.write_bytes(build(row.file))
    end = ending(path)
    if isinstance(end, ImageRefused):
        assert (end.exit_code, end.path) == (10, str(path))
        assert "qemu-img" not in end.hint
    if row.file.startswith(TABLES):
        assert outcome(end) == ("accept", "none")
    else:
        assert outcome(end) == (row.outcome, row.finding)


def test_a_refusal_for_want_of_support_names_the_formats_that_are_read(tmp_path: Path) -> None:
    path = tmp_path / "disk.vmdk"
    path.write_bytes(build("vmdk-version-9.vmdk"))
    with pytest.raises(ImageRefused) as caught:
        look_at(path)
    for row in SUPPORT:
        assert not row.read or row.format.value in caught.value.hint
