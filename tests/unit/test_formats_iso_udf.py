"""UDF with one thing wrong: each descriptor is checked before what it names is believed."""

from __future__ import annotations

import binascii
import io
import struct
from pathlib import Path

import pycdlib
import pytest

from diskwright.errors import ImageBroken, ImageUnsupported
from diskwright.formats import limits
from diskwright.formats.iso import udf_layout as layout
from diskwright.model.iso import IsoExtent, IsoKind, IsoTree
from support.iso_maker import SECTOR, SMALL, Disc, write
from support.iso_reading import entries, facts


@pytest.fixture(scope="module")
def disc(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return write(tmp_path_factory.mktemp("udf") / "disc.iso", udf="2.60").read_bytes()


def sectors(disc: bytes, tag: int) -> list[int]:
    """Offsets of the sectors that begin with a descriptor of this kind."""
    places = range(17 * SECTOR, len(disc), SECTOR)
    return [at for at in places if layout.tag_of(disc[at : at + SECTOR]) == tag]


def changed(disc: bytes, place: int, at: int, new: bytes, *, signed: bool = True) -> bytes:
    """`new` at `at` of the descriptor in sector `place`, its checksums made right again."""
    data = bytearray(disc)
    data[place + at : place + at + len(new)] = new
    if signed:
        length = int.from_bytes(data[place + 10 : place + 12], "little")
        crc = binascii.crc_hqx(bytes(data[place + 16 : place + 16 + length]), 0)
        data[place + 8 : place + 10] = struct.pack("<H", crc)
        data[place + 4] = (sum(data[place : place + 16]) - data[place + 4]) & 0xFF
    return bytes(data)


def refused(data: bytes) -> str:
    with pytest.raises(ImageBroken) as caught:
        facts(data)
    return caught.value.code


def only_udf(disc: bytes) -> bytes:
    """Without the volume descriptors of ISO 9660."""
    data = bytearray(disc)
    first = disc.index(b"BEA01") - 1
    data[16 * SECTOR : 19 * SECTOR] = disc[first : first + 3 * SECTOR]
    data[first : first + 3 * SECTOR] = bytes(3 * SECTOR)
    return bytes(data)


def test_a_disc_of_udf_alone_is_read(disc: bytes) -> None:
    found = facts(only_udf(disc))
    assert found.trees == (IsoTree.UDF,)
    assert (found.iso9660_level, found.udf_revision) == (None, "1.02")
    assert entries(only_udf(disc)).keys() == {*SMALL.files, *SMALL.folders}


def test_udf_is_shown_where_it_has_more(tmp_path: Path) -> None:
    files = {"a.txt": b"a", "b.txt": b"b"}
    path = write(tmp_path / "disc.iso", Disc(files=files), udf="2.60", joliet=3)
    assert facts(path).tree is IsoTree.JOLIET
    data = path.read_bytes()
    at = data.index("b.txt".encode("utf-16-be")) - 33
    # the last of its directory: a record of no length ends it
    without = data[:at] + bytes(data[at]) + data[at + data[at] :]
    assert facts(without).tree is IsoTree.UDF


def test_links_that_udf_shows_as_empty_files_are_no_more_files(tmp_path: Path) -> None:
    path = tmp_path / "disc.iso"
    maker = pycdlib.PyCdlib()
    maker.new(rock_ridge="1.09", udf="2.60")
    maker.add_fp(io.BytesIO(b"a"), 1, "/A.;1", rr_name="a", udf_path="/a")
    maker.add_symlink("/L.;1", "l", "a")
    maker.add_fp(io.BytesIO(b""), 0, udf_path="/l")
    maker.write(str(path))
    maker.close()
    assert entries(path, IsoTree.UDF).keys() == {"a", "l"}
    assert facts(path).tree is IsoTree.ROCK_RIDGE


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        (layout.ANCHOR, "udf-anchor"),
        (layout.LOGICAL, "udf-descriptors"),
        (layout.PARTITION, "udf-descriptors"),
        (layout.FILE_SET, "udf-file-set"),
        (layout.FILE_ENTRY, "udf-file-entry"),
        (layout.FILE_IDENTIFIER, "directory-record"),
    ],
)
def test_a_descriptor_with_a_wrong_checksum_is_refused(disc: bytes, tag: int, code: str) -> None:
    place = sectors(disc, tag)[0]
    assert refused(changed(disc, place, 20, b"\xa5\x5a", signed=False)) == code
    assert refused(changed(disc, place, 0, b"\xff\xff")) == code


@pytest.mark.parametrize(
    ("tag", "at", "new", "code"),
    [
        (layout.PARTITION, 188, b"\xff\xff\xff\x7f", "offset-past-end"),
        (layout.PARTITION, 22, b"\5\0", "udf-descriptors"),
        (layout.LOGICAL, 252, b"\xff\xff\xff\x7f", "offset-past-end"),
        (layout.LOGICAL, 256, b"\1\0", "udf-partition"),
        (layout.FILE_SET, 404, b"\xff\xff\xff\x7f", "offset-past-end"),
        (layout.FILE_SET, 404, b"\0\0\0\0", "udf-file-entry"),
        (layout.FILE_ENTRY, 27, b"\5", "udf-root"),
        (layout.FILE_ENTRY, 20, b"\1\0", "udf-file-entry"),
        (layout.FILE_ENTRY, 168, b"\xff\xff\0\0", "udf-file-entry"),
        (layout.FILE_ENTRY, 56, b"\0\0\0\0\1", "too-large"),
        (layout.FILE_ENTRY, 56, b"\0\0\1", "udf-file-entry"),
    ],
)
def test_what_names_something_else_is_refused(
    disc: bytes, tag: int, at: int, new: bytes, code: str
) -> None:
    assert refused(changed(disc, sectors(disc, tag)[0], at, new)) == code


def test_an_anchor_that_points_past_the_end_is_refused(disc: bytes) -> None:
    place = sectors(disc, layout.ANCHOR)[0]
    assert refused(changed(disc, place, 20, b"\xff\xff\xff\x7f")) == "offset-past-end"


def test_a_directory_that_is_met_again_is_a_loop(disc: bytes) -> None:
    place = sectors(disc, layout.FILE_IDENTIFIER)[0]
    parent, first = struct.unpack_from("<I", disc, place + 24)[0], place + 40
    assert disc[first : first + 2] == b"\1\1"
    data = bytearray(disc)
    data[first + 24 : first + 28] = struct.pack("<I", parent)
    length = int.from_bytes(data[first + 10 : first + 12], "little")
    crc = binascii.crc_hqx(bytes(data[first + 16 : first + 16 + length]), 0)
    data[first + 8 : first + 10] = struct.pack("<H", crc)
    data[first + 4] = (sum(data[first : first + 16]) - data[first + 4]) & 0xFF
    assert refused(bytes(data)) == "directory-loop"


def entry_of(disc: bytes, name: str) -> int:
    """The sector of a file's entry: the one that names its extent."""
    (extent,) = entries(disc, IsoTree.UDF)[name].extents
    start = int.from_bytes(disc[sectors(disc, layout.PARTITION)[0] + 188 :][:4], "little")
    block = struct.pack("<I", extent.offset // SECTOR - start)
    return next(at for at in sectors(disc, layout.FILE_ENTRY) if disc[at + 180 : at + 184] == block)


def test_holes_are_zeros_and_sizes_hold(disc: bytes) -> None:
    place = entry_of(disc, "boot/loader.bin")
    size = len(SMALL.files["boot/loader.bin"])
    hole = changed(disc, place, 176, struct.pack("<I", 2 << 30 | size))
    assert entries(hole, IsoTree.UDF)["boot/loader.bin"].extents == (IsoExtent(None, size),)
    short = changed(disc, place, 176, struct.pack("<I", size - 1))
    assert refused(short) == "udf-file-entry"
    past = changed(disc, place, 180, b"\xff\xff\xff\x7f")
    assert refused(past) == "offset-past-end"


def test_inline_data_is_where_it_stands(disc: bytes) -> None:
    place = entry_of(disc, "readme.txt")
    inline = changed(disc, place, 34, b"\3\0")
    inline = changed(inline, place, 56, struct.pack("<Q", 8))
    assert entries(inline, IsoTree.UDF)["readme.txt"].extents == (IsoExtent(place + 176, 8),)
    assert refused(changed(inline, place, 56, struct.pack("<Q", 9))) == "udf-file-entry"


@pytest.mark.parametrize(("number", "note"), [(6, "block device"), (9, "FIFO"), (99, "type 99")])
def test_what_is_no_file_is_told(disc: bytes, number: int, note: str) -> None:
    found = entries(changed(disc, entry_of(disc, "readme.txt"), 27, bytes([number])), IsoTree.UDF)[
        "readme.txt"
    ]
    assert found.kind is IsoKind.OTHER
    assert note in found.note


def test_partitions_that_are_not_read_leave_the_other_names(disc: bytes) -> None:
    other = changed(disc, sectors(disc, layout.LOGICAL)[0], 440, b"\2\x40")
    found = facts(other)
    assert found.tree is IsoTree.ISO9660
    assert [problem.code for problem in found.problems] == ["udf-not-read"]
    with pytest.raises(ImageUnsupported) as caught:
        facts(only_udf(other))
    assert caught.value.code == "udf-unsupported"


def test_a_target_that_is_put_together_from_its_parts() -> None:
    parts = b"\2\0\0\0" + b"\5\4\0\0\x08etc" + b"\3\0\0\0" + b"\4\0\0\0"
    assert layout.link_target(parts) == "/etc/../."
    assert layout.link_target(parts[:-5]) == "/etc"
    assert layout.link_target(b"\5\x09\0\0\x08etc") is None


def test_more_entries_than_the_limit_are_refused(
    disc: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "ISO_ENTRIES", 8)
    assert refused(only_udf(disc)) == "too-large"
