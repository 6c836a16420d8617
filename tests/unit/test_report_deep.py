"""The text of `inspect --deep`: it fits, names every partition, and no terminal obeys it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import diskwright.formats
from diskwright.blockio.memory import MemoryReader
from diskwright.formats.qcow2.layout import COMPRESSION_NAMES
from diskwright.model.deep import (
    AllocationMap,
    ChainFile,
    Container,
    Deep,
    Mark,
    Refused,
    Sign,
    Snapshot,
)
from diskwright.model.image import ImageFormat, Reference, ReferenceKind
from diskwright.model.nulls import NullProgress
from diskwright.model.outcome import Inspected
from diskwright.model.partitions import Partition, PartitionRole
from diskwright.ops.extent_map import allocation_map
from diskwright.report import strip
from diskwright.report.deep import FEATURES, Look, deep_text, refused_text
from support.good_facts import IMAGE, UEFI

EVIL = "\x1b[2J\r\nPASS\u202e\u2028\x9b\udc80"
MIB = 1 << 20


def drawn(picture: str, cells: int = 64) -> AllocationMap:
    reader = MemoryReader.of_picture(picture, unit=4096)
    return allocation_map(reader, cells=cells, progress=NullProgress(), clock=lambda: 0.0)


def partition(number: int, start: int, end: int, label: str | None = None) -> Partition:
    """Borders in units of the picture."""
    unit = 4096
    return Partition(
        number, start * unit, (end - start) * unit, PartitionRole.LINUX, "83", label=label
    )


def deep(**changes) -> Deep:
    return Deep(
        **{
            "signs": (Sign(ImageFormat.QCOW2, 0, "a qcow2 header"),),
            "container": Container(),
            "chain": (ChainFile("/disk", ImageFormat.QCOW2, "image", 1),),
            "sparse": False,
            "map": drawn("A0-A" * 16),
            **changes,
        }
    )


def test_partitions_lie_beneath_their_columns():
    rows = strip.partition_rows(
        drawn("A" * 64),
        (partition(1, 0, 20, "boot"), partition(2, 20, 64)),
        strip.ASCII,
    )
    assert list(rows) == ["|------1 boot------||-----------------2 linux------------------|"]


def test_partitions_too_small_for_a_name_keep_their_number_in_a_row_of_their_own():
    made = [partition(number, number, number + 1) for number in range(1, 4)]
    rows = list(strip.partition_rows(drawn("A" * 640), made, strip.ASCII))
    assert [row.strip() for row in rows] == ["1", "2", "3"]


def test_partitions_that_do_not_fit_are_counted():
    made = [partition(number, 1, 2) for number in range(1, 100)]
    rows = list(strip.partition_rows(drawn("A" * 640), made, strip.ASCII))
    assert len(rows) == 5
    assert rows[-1] == "and 95 more"


def test_partitions_beyond_the_disk_are_drawn_to_its_end():
    (row,) = strip.partition_rows(drawn("A" * 64), [partition(7, 32, 10**9)], strip.ASCII)
    assert len(row) == 64
    assert list(strip.partition_rows(drawn("A"), [partition(7, 32, 10**9)], strip.ASCII)) == []


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_the_map_fits_the_terminal(columns):
    look = Look(columns)
    found = Inspected("/d", IMAGE, UEFI, deep=deep(map=drawn("A0-A" * 999, look.cells)))
    text = deep_text(found, look)
    block = text[text.index("\nmap ") + 1 :].splitlines()
    if columns >= 80:
        assert [line for line in block if len(line) > columns] == []
    assert len(block[0]) == columns


def test_a_terminal_without_unicode_gets_ascii():
    found = Inspected("/d", IMAGE, None, deep=deep())
    assert deep_text(found, Look(80, unicode=False)).isascii()
    assert not deep_text(found, Look(80)).isascii()


def test_nothing_that_an_image_says_moves_the_cursor():
    snapshot = Snapshot(EVIL, EVIL, "-", 5, None)
    marks = (Mark("created", EVIL),)
    names = (Reference(ReferenceKind.BACKING, EVIL),)
    files = (
        ChainFile(EVIL, ImageFormat.QCOW2, "image", 1, names),
        ChainFile(EVIL, ImageFormat.RAW, "backing file", 1),
    )
    said = deep(container=Container(marks, (snapshot,)), chain=files, map=None, map_missing=EVIL)
    signs = (Sign(ImageFormat.RAW, 0, EVIL),)
    why = Refused(EVIL, 5, signs, "unsafe", EVIL, EVIL, 3, 0, EVIL.encode("utf-8", "replace").hex())
    for text in (
        deep_text(Inspected("/d", IMAGE, UEFI, deep=said), Look()),
        refused_text(why, EVIL),
    ):
        assert [c for c in text if not c.isprintable() and c != "\n"] == []
        assert "\nPASS" not in text


def test_the_bytes_where_it_went_wrong_are_marked_and_fit_80_columns():
    why = Refused("d", 96, (), "broken", "x", "y", 0x25, 0x10, bytes(range(16, 80)).hex())
    lines = refused_text(why, "d").splitlines()
    marked = [line for line in lines if " >" in line]
    assert marked == [
        "             >00000020 2021 2223 2425 2627 2829 2a2b 2c2d 2e2f   !\"#$%&'()*+,-./"
    ]
    assert max(map(len, lines)) <= 80


def test_a_followed_chain_is_not_said_to_be_alone():
    why = Refused("d", 96, (), "broken", "x", "y", None)
    assert "nothing that it names" in refused_text(why, "d")
    followed = Refused("d", 96, (), "broken", "x", "y", None, alone=False)
    assert "nothing that it names" not in refused_text(followed, "d")


def test_every_feature_of_a_parser_is_explained():
    folder = Path(diskwright.formats.__file__).parent
    named = set(
        re.findall(r'features\.append\("(.+)"\)', (folder / "qcow2" / "facts.py").read_text())
    )
    table = (
        (folder / "vmdk" / "facts.py")
        .read_text()
        .partition("    features = {")[2]
        .partition("}")[0]
    )
    named |= set(re.findall(r'"(.+)":', table)) | set(COMPRESSION_NAMES[1:])
    assert named == set(FEATURES)
