"""ISO 9660 and Rock Ridge by hand: what is read, and what is refused at which byte."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from diskwright.errors import ImageBroken
from diskwright.formats import limits
from diskwright.model.iso import BootPlatform, IsoExtent, IsoKind, IsoTree
from support.hostile.iso import both, direc, iso
from support.iso_maker import (
    FILE,
    ROOT,
    SECTOR,
    SP,
    ce,
    entry,
    link,
    many_files,
    nm,
    plain,
    px,
    rock_ridge,
    root,
    sl,
    step,
)
from support.iso_reading import entries, facts

SUB = 25  # a sector for a second directory


def refused(data: bytes) -> str:
    with pytest.raises(ImageBroken) as caught:
        facts(data)
    return caught.value.code


def directory(*records: bytes, at: int = SUB, parent: int = ROOT) -> bytes:
    return direc(b"\0", at, SECTOR, 2) + direc(b"\1", parent, SECTOR, 2) + b"".join(records)


def with_bytes(data: bytes, at: int, new: bytes) -> bytes:
    return data[:at] + new + data[at + len(new) :]


def test_a_file_lies_where_its_record_says() -> None:
    found = entries(plain(direc(b"A.TXT;1", FILE, 6)))["A.TXT"]
    assert (found.kind, found.size) == (IsoKind.FILE, 6)
    assert found.extents == (IsoExtent(FILE * SECTOR, 6),)


@pytest.mark.parametrize(
    ("name", "shown", "level"),
    [
        (b"A.TXT;1", "A.TXT", 1),
        (b"A.;1", "A", 1),
        (b"A", "A", 1),
        (b"LONGER_THAN_8.TXT;1", "LONGER_THAN_8.TXT", 2),
        (b"A.HTML;1", "A.HTML", 2),
        (b"A;B", "A;B", 1),
    ],
)
def test_plain_names_lose_their_version_and_tell_the_level(
    name: bytes, shown: str, level: int
) -> None:
    data = plain(direc(name, FILE, 6))
    assert list(entries(data)) == [shown]
    assert facts(data).iso9660_level == level


def test_a_file_of_several_extents_is_one_file() -> None:
    data = plain(
        direc(b"A.TXT;1", FILE, SECTOR, 0x80),
        direc(b"A.TXT;1", FILE + 1, SECTOR, 0x80),
        direc(b"A.TXT;1", FILE + 5, 7),
    )
    found = entries(data)["A.TXT"]
    assert found.size == 2 * SECTOR + 7
    assert found.extents == (
        IsoExtent(FILE * SECTOR, 2 * SECTOR),
        IsoExtent((FILE + 5) * SECTOR, 7),
    )
    assert facts(data).iso9660_level == 3


@pytest.mark.parametrize("after", [[], [direc(b"B.TXT;1", FILE, 6)]])
def test_a_file_whose_last_extent_is_missing_is_refused(after: list[bytes]) -> None:
    assert refused(plain(direc(b"A.TXT;1", FILE, SECTOR, 0x80), *after)) == "extent-missing"


def test_interleaved_files_are_told_and_not_read() -> None:
    record = bytearray(direc(b"A.TXT;1", FILE, 6))
    record[26] = 1
    found = entries(plain(bytes(record)))["A.TXT"]
    assert (found.kind, found.note, found.extents) == (IsoKind.OTHER, "interleaved", ())


# Directories


def test_directories_are_walked_breadth_first() -> None:
    data = plain(
        direc(b"D", SUB, SECTOR, 2),
        direc(b"Z.TXT;1", FILE, 6),
        more={SUB: directory(direc(b"A.TXT;1", FILE, 6))},
    )
    assert list(entries(data)) == ["D", "Z.TXT", "D/A.TXT"]
    assert (facts(data).files, facts(data).directories) == (2, 1)


@pytest.mark.parametrize("back", [ROOT, SUB])
def test_a_directory_that_is_met_again_is_a_loop(back: int) -> None:
    inner = directory(direc(b"E", back, SECTOR, 2))
    assert refused(plain(direc(b"D", SUB, SECTOR, 2), more={SUB: inner})) == "directory-loop"


def test_two_names_of_one_directory_are_refused_too() -> None:
    twice = direc(b"D", SUB, SECTOR, 2), direc(b"E", SUB, SECTOR, 2)
    assert refused(plain(*twice, more={SUB: directory()})) == "directory-loop"


def test_a_deep_tree_is_read_to_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    more = {SUB + i: directory(direc(b"D", SUB + i + 1, SECTOR, 2)) for i in range(4)}
    more[SUB + 4] = directory()
    data = plain(direc(b"D", SUB, SECTOR, 2), more=more)
    monkeypatch.setattr(limits, "ISO_DEPTH", 5)
    assert list(entries(data))[-1] == "D/D/D/D/D"
    monkeypatch.setattr(limits, "ISO_DEPTH", 4)
    assert refused(data) == "too-large"


def test_more_entries_than_the_limit_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = many_files(tmp_path / "many.iso", 300)
    monkeypatch.setattr(limits, "ISO_ENTRIES", 300)
    assert facts(path).files == 300
    monkeypatch.setattr(limits, "ISO_ENTRIES", 299)
    with pytest.raises(ImageBroken, match="more than 299 entries"):
        facts(path)


def test_a_disc_of_4_gib_with_5000_files_is_read(tmp_path: Path) -> None:
    found = facts(many_files(tmp_path / "many.iso", 5000))
    assert (found.files, found.file_size, found.problems) == (5000, 4 << 30, ())


@pytest.mark.parametrize(
    "record",
    [
        direc(b"D", 1 << 30, SECTOR, 2),
        direc(b"D", 39, 2 * SECTOR, 2),
        direc(b"A.TXT;1", 1 << 30, 6),
        direc(b"A.TXT;1", FILE, 1 << 20),
    ],
)
def test_what_lies_past_the_end_is_refused(record: bytes) -> None:
    assert refused(plain(record)) == "offset-past-end"


def test_an_empty_file_lies_nowhere() -> None:
    assert entries(plain(direc(b"A.TXT;1", 1 << 30, 0)))["A.TXT"].extents == ()


@pytest.mark.parametrize("name", [b"..", b".", b"a/b", b"/", b"a\0b"])
def test_names_that_lead_elsewhere_are_refused(name: bytes) -> None:
    assert refused(rock_ridge(entry(name, 0o100644))) == "name-forbidden"


def test_a_record_that_does_not_fit_its_sector_is_refused() -> None:
    for at, value in ((0, 1), (0, 33), (32, 0), (32, 200)):
        record = bytearray(direc(b"A.TXT;1", FILE, 6))
        record[at] = value
        assert refused(plain(bytes(record))) == "directory-record"


def test_a_huge_directory_is_refused_before_it_is_read() -> None:
    data = bytearray(plain())
    at = 16 * SECTOR + 156 + 10
    data[at : at + 8] = both("I", 1 << 30)
    assert refused(bytes(data)) == "too-large"


# The file's end


def test_a_file_that_was_cut_short_is_told() -> None:
    whole = plain(direc(b"A.TXT;1", 39, 6))
    found = facts(whole[: 39 * SECTOR])
    assert [problem.code for problem in found.problems] == ["truncated"]
    assert "1 file(s)" in found.problems[0].detail


def test_a_missing_tail_that_hits_no_file_is_told() -> None:
    (problem,) = facts(plain(direc(b"A.TXT;1", FILE, 6))[: 35 * SECTOR]).problems
    assert (problem.code, "10240 bytes" in problem.detail) == ("truncated", True)


def test_without_descriptors_there_is_nothing() -> None:
    assert refused(bytes(40 * SECTOR)) == "no-volume"


@pytest.mark.parametrize(("at", "new"), [(128, both("H", 4096)), (128, both("H", 0)), (156, b"\0")])
def test_a_descriptor_that_can_not_be_is_refused(at: int, new: bytes) -> None:
    assert refused(with_bytes(iso(), 16 * SECTOR + at, new)) == "volume-descriptor"


# Rock Ridge


def test_rock_ridge_gives_names_modes_and_links() -> None:
    data = rock_ridge(
        entry(b"a long name", 0o100640), link(b"to", "../x/./y"), entry(b"dev", 0o060660)
    )
    found = entries(data)
    assert facts(data).rock_ridge == "unstated"
    assert (found["a long name"].mode, found["to"].target) == (0o640, "../x/./y")
    assert (found["dev"].kind, found["dev"].note) == (IsoKind.OTHER, "block device")
    assert entries(data, IsoTree.ISO9660).keys() == {"F", "L"}


def test_names_and_links_go_on_in_further_entries() -> None:
    name = nm(b"first-", 1) + nm(b"second")
    target = sl(step(b"/"), b"\1\2ab", b"\0\2cd") + sl(step(b"e"))
    data = rock_ridge(direc(b"L.;1", 0, 0, 0, name + px(0o120777) + target))
    assert entries(data)["first-second"].target == "/abcd/e"


def test_the_second_time_of_tf_is_the_modification() -> None:
    dates = bytes([100, 1, 1, 0, 0, 0, 0]) + bytes([124, 6, 10, 6, 13, 20, 0])
    tf = b"TF" + bytes([5 + len(dates), 1, 3]) + dates
    data = rock_ridge(direc(b"F.;1", FILE, 6, 0, nm(b"f") + tf))
    assert entries(data)["f"].mtime == 1718000000


def test_continuations_are_read_and_bounded() -> None:
    name = nm(b"from afar")
    record = direc(b"F.;1", FILE, 6, 0, ce(30, 100, len(name)))
    data = rock_ridge(record, more={30: bytes(100) + name})
    assert list(entries(data)) == ["from afar"]
    past = rock_ridge(direc(b"F.;1", FILE, 6, 0, ce(1 << 30, 0, 50)))
    assert refused(past) == "offset-past-end"
    endless = rock_ridge(direc(b"F.;1", FILE, 6, 0, ce(30, 0, 28)), more={30: ce(30, 0, 28)})
    assert refused(endless) == "continuation-loop"
    back_and_forth = {30: ce(31, 0, 28), 31: ce(30, 0, 28)}
    data = rock_ridge(direc(b"F.;1", FILE, 6, 0, ce(30, 0, 28)), more=back_and_forth)
    assert refused(data) == "continuation-loop"


def test_a_relocated_directory_is_shown_where_it_belongs() -> None:
    moved = direc(b"M", SUB, SECTOR, 2, nm(b"deep") + b"RE\4\1")
    child = direc(b"C.;1", FILE, 6, 0, nm(b"deep") + b"CL\x0c\1" + both("I", SUB))
    data = rock_ridge(moved, child, more={SUB: directory(entry(b"inside", 0o100644))})
    assert list(entries(data)) == ["deep", "deep/inside"]
    lost = rock_ridge(direc(b"C.;1", FILE, 6, 0, b"CL\x0c\1" + both("I", FILE)))
    assert refused(lost) == "directory-record"


def test_links_that_lead_outside_are_a_problem() -> None:
    data = rock_ridge(link(b"in", "a/../b"), link(b"out", "in/../.."))
    (problem,) = facts(data).problems
    assert problem.code == "guest-link-escapes"
    assert "'out'" in problem.detail
    assert facts(rock_ridge(link(b"in", "a/../b"))).problems == ()


def test_a_target_that_is_cut_off_or_endless_is_refused() -> None:
    cut = b"SL" + bytes([8, 1, 0]) + b"\0\x09x"
    assert refused(rock_ridge(direc(b"L.;1", 0, 0, 0, cut))) == "link-broken"


def test_extensions_that_are_not_understood_are_told() -> None:
    data = iso(root=root(direc(b"F.;1", FILE, 6, 0, b"NM\x60\1\0abc"), dot=SP))
    assert [problem.code for problem in facts(data).problems] == ["rock-ridge"]


# El Torito


def catalog(*rest: bytes, platform: int = 0, lba: int = FILE, flag: int = 0x88) -> bytes:
    head = bytearray(32)
    head[0], head[1], head[30:32] = 1, platform, b"\x55\xaa"
    total = sum(struct.unpack("<16H", head)) & 0xFFFF
    head[28:30] = struct.pack("<H", -total & 0xFFFF)
    return bytes(head) + initial(lba, flag) + b"".join(rest)


def initial(lba: int, flag: int = 0x88, sectors: int = 4) -> bytes:
    return struct.pack("<BBHBxHI20x", flag, 0, 0x7C0, 0, sectors, lba)


def section(platform: int, count: int, *, last: bool = True) -> bytes:
    return struct.pack("<BBH28x", 0x91 if last else 0x90, platform, count)


def test_boot_entries_of_all_sections_are_told() -> None:
    more = section(0xEF, 1, last=False), initial(22), section(1, 1), initial(23, 0)
    found = facts(iso(boot=31, more={31: catalog(*more)})).boot
    platforms = [BootPlatform.BIOS, BootPlatform.EFI, BootPlatform.POWERPC]
    assert [entry.platform for entry in found] == platforms
    assert [entry.bootable for entry in found] == [True, True, False]
    assert [entry.lba for entry in found] == [FILE, 22, 23]
    assert (found[0].load_segment, found[0].sectors, found[0].size) == (0x7C0, 4, 2048)


def test_boot_images_and_catalogs_past_the_end_are_refused() -> None:
    assert refused(iso(boot=1 << 30)) == "offset-past-end"
    assert refused(iso(boot=31, more={31: catalog(lba=1 << 30)})) == "offset-past-end"


def test_a_catalog_that_is_none_is_refused_and_a_wrong_checksum_told() -> None:
    assert refused(iso(boot=31)) == "boot-catalog"
    wrong = with_bytes(catalog(), 4, b"x")
    (problem,) = facts(iso(boot=31, more={31: wrong})).problems
    assert problem.code == "boot-catalog"


def test_tables_in_the_system_area_are_told() -> None:
    data = bytearray(iso())
    data[510:512] = b"\x55\xaa"
    data[450] = 0xEF
    assert (facts(bytes(data)).mbr, facts(bytes(data)).usb_bootable) == (True, True)
    data[450] = 0x17
    assert not facts(bytes(data)).usb_bootable
    data[0:4] = b"\xeb\x3c\x90\x90"
    assert facts(bytes(data)).usb_bootable
    data[512:520] = b"EFI PART"
    assert facts(bytes(data)).gpt
    assert not facts(iso()).mbr
