"""Every file of the hostile corpus ends as its manifest says, as far as formats are read."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from diskwright.adapters.iso_child import ConfinedIsoReader
from diskwright.errors import ImageRefused
from diskwright.formats.support import SUPPORT
from diskwright.model.image import ImageFacts, ImageFormat
from diskwright.model.iso import IsoFacts
from diskwright.ops.iso import opened_iso
from support.hostile.corpus import Row, build, names, rows
from support.images import look_at

# Whose outcome and short name are exactly the manifest's. Of the other formats there are no
# parsers: each file is refused, the good ones too.
EXACT = (
    "qcow2-",
    "size-",
    "polyglot-",
    "raw-",
    "gz-",
    "cut-qcow2-",
    "vhd-",
    "vhdx-",
    "vdi-",
    "cut-vhdx-",
    "cut-vdi-",
    "vmdk-",
    "cut-vmdk-",
    "iso-",
)
# What a table says is judged where guests are read. Here it is what a raw disk contains.
TABLES = ("gpt-", "mbr-")
# Only reading its data shows what is wrong with it, which is the reader's work.
DATA = "qcow2-compressed-garbage.qcow2"

ALL = rows()
METADATA = [row for row in ALL if row.file != DATA]


def test_the_manifest_and_the_builders_name_the_same_92_files() -> None:
    assert len(ALL) == 92
    assert {row.file for row in ALL} == names()


# The bytes of a gzip file are the deflate library's choice.
@pytest.mark.parametrize("row", [r for r in ALL if r.format != ImageFormat.GZIP], ids=str)
def test_a_file_of_the_corpus_is_built_byte_for_byte(row: Row) -> None:
    assert hashlib.sha256(build(row.file)).hexdigest() == row.sha256


def ending(path: Path) -> ImageFacts | IsoFacts | ImageRefused:
    try:
        if path.suffix == ".iso":  # what is in it is read in a confined child
            with opened_iso(str(path)) as (fd, identity):
                return ConfinedIsoReader().facts(fd, identity)
        return look_at(path)
    except ImageRefused as refusal:
        return refusal


def outcome(end: ImageFacts | IsoFacts | ImageRefused) -> tuple[str, str]:
    if isinstance(end, ImageRefused):
        return f"refuse-{end.kind}", end.code
    return "accept", next((problem.code for problem in end.problems), "none")


@pytest.mark.parametrize("row", METADATA, ids=str)
def test_a_file_of_the_corpus_ends_as_its_manifest_says(row: Row, tmp_path: Path) -> None:
    path = tmp_path / row.file
    path.write_bytes(build(row.file))
    end = ending(path)
    got = outcome(end)
    if isinstance(end, ImageRefused):
        assert (end.exit_code, end.path) == (10, str(path))
        assert "qemu-img" not in end.hint
    if row.file.startswith(EXACT):
        assert got == (row.outcome, row.finding)
    elif row.file.startswith(TABLES):
        assert got == ("accept", "none")
    else:
        assert got == ("refuse-unsupported", "format-unsupported")


def test_a_compressed_cluster_that_is_garbage_is_left_to_the_reader(tmp_path: Path) -> None:
    path = tmp_path / DATA
    path.write_bytes(build(DATA))
    assert look_at(path).compressed


def test_a_refusal_for_want_of_support_names_the_formats_that_are_read(tmp_path: Path) -> None:
    path = tmp_path / "disk.vmdk"
    path.write_bytes(build("vmdk-version-9.vmdk"))
    with pytest.raises(ImageRefused) as caught:
        look_at(path)
    for row in SUPPORT:
        assert not row.read or row.format.value in caught.value.hint
