"""diskwright iso, as a person runs it: what is printed, what is made, how it ends."""

from __future__ import annotations

import csv
import io
import signal
import stat
from pathlib import Path

import pytest

from support.command import Command, files_below, one_line_and_a_hint
from support.hostile.corpus import build
from support.hostile.iso import direc
from support.iso_maker import FILE, SMALL, link, many_files, plain, rock_ridge, write


@pytest.fixture
def disc(folder: Path) -> Path:
    return write(folder / "disc.iso", rock_ridge="1.12", joliet=3, udf="2.60", boot=True)


def test_inspect_says_what_it_is(diskwright: Command, disc: Path) -> None:
    ended = diskwright("iso", "inspect", disc)
    assert ended.code == 0, ended
    for said in (
        "iso, ISO 9660 level 1, Joliet level 3, Rock Ridge 1.12, UDF 1.02",
        "volume id    SMALL",
        "files, 4 directories, 2 symbolic links",
        "bios: ",
        "not known",
    ):
        assert said in ended.out, said
    assert "usb-bootable" not in ended.out


def test_inspect_goes_on_after_a_file_that_is_refused(diskwright: Command, disc: Path) -> None:
    broken = disc.with_name("loop.iso")
    broken.write_bytes(build("iso-dir-loop.iso"))
    ended = diskwright("iso", "inspect", "--output", "json", broken, disc)
    assert ended.code == 10
    refused, good = ended.document["results"]
    assert (refused["error"]["kind"], refused["error"]["code"]) == ("broken", "directory-loop")
    assert (good["error"], good["facts"]["iso"]["firmware"]) == (None, ["bios"])
    assert ended.document["command"] == "iso inspect"


def test_list_shows_every_entry_or_those_of_a_folder(diskwright: Command, disc: Path) -> None:
    ended = diskwright("iso", "list", disc)
    shown = {line.split(None, 3)[3] for line in ended.out.splitlines()}
    links = {f"{path} -> {target}" for path, target in SMALL.links.items()}
    assert shown == {*SMALL.files, *SMALL.folders, *links, "boot.cat"}
    below = diskwright("iso", "list", disc, "/boot/grub/")
    assert [line.split(None, 3)[3] for line in below.out.splitlines()] == [
        "boot/grub",
        "boot/grub/a name that is longer than eight.conf",
    ]


def test_list_as_csv_and_json(diskwright: Command, disc: Path) -> None:
    ended = diskwright("iso", "list", "--output", "csv", "--tree", "joliet", disc)
    rows = {row["path"]: row for row in csv.DictReader(io.StringIO(ended.out))}
    assert rows["boot/loader.bin"]["size"] == "5120"
    assert rows["boot"]["type"] == "directory"
    document = diskwright("iso", "list", "--output", "json", disc).document
    (result,) = document["results"]
    assert result["tree"] == "rock-ridge"
    (found,) = [entry for entry in result["entries"] if entry["path"] == "boot/link"]
    assert (found["kind"], found["target"]) == ("link", "../readme.txt")


def test_a_tree_or_a_path_that_is_not_there_is_a_usage_error(
    diskwright: Command, folder: Path
) -> None:
    path = folder / "plain.iso"
    path.write_bytes(plain(direc(b"A.TXT;1", FILE, 6)))
    for words in (
        ["list", "--tree", "udf", path],
        ["list", path, "nothing"],
        ["extract", path, folder / "out", "nothing"],
    ):
        ended = diskwright("iso", *words)
        assert ended.code == 2
        one_line_and_a_hint(ended)
    assert files_below(folder) == ["plain.iso"]


def test_extract_makes_what_is_on_the_disc(diskwright: Command, disc: Path) -> None:
    target = disc.with_name("out")
    ended = diskwright("iso", "extract", disc, target)
    assert ended.code == 0, ended
    assert "6 files, 4 folders and 2 links" in ended.out
    for name, content in SMALL.files.items():
        assert (target / name).read_bytes() == content
    assert (target / "boot/link").read_text() == "read me\n"
    assert stat.S_IMODE((target / "readme.txt").stat().st_mode) & 0o600 == 0o600


def test_extract_of_paths_makes_only_those(diskwright: Command, disc: Path) -> None:
    target = disc.with_name("out")
    ended = diskwright("iso", "extract", disc, target, "/boot/loader.bin", "void")
    assert ended.code == 0, ended
    assert files_below(target) == ["boot", "boot/loader.bin", "void"]


def test_extract_overwrites_nothing_unless_told(diskwright: Command, disc: Path) -> None:
    target = disc.with_name("out")
    target.mkdir()
    (target / "readme.txt").write_text("mine")
    ended = diskwright("iso", "extract", disc, target)
    assert ended.code == 14
    one_line_and_a_hint(ended)
    assert (target / "readme.txt").read_text() == "mine"
    assert diskwright("iso", "extract", "--force", disc, target).code == 0
    assert (target / "readme.txt").read_text() == "read me\n"


def test_extract_says_what_it_left_out(diskwright: Command, folder: Path) -> None:
    path = folder / "links.iso"
    path.write_bytes(rock_ridge(link(b"out\x1b[2J", "/etc"), link(b"in", ".")))
    ended = diskwright("iso", "extract", path, folder / "out")
    assert (ended.code, files_below(folder / "out")) == (0, ["in"])
    assert "left out: out\\x1b[2J: a symbolic link that leads outside" in ended.out
    assert "\x1b" not in ended.out


def test_a_disc_that_expands_too_far_is_refused(diskwright: Command, folder: Path) -> None:
    path = folder / "bomb.iso"
    records = [direc(b"F%02d.;1" % n, 0, 40 * 2048) for n in range(30)]
    path.write_bytes(plain(*records))
    ended = diskwright("iso", "extract", path, folder / "out")
    assert (ended.code, "[too-large]" in ended.err) == (10, True)
    assert files_below(folder) == ["bomb.iso"]
    assert diskwright("iso", "extract", "--max-size", "8MiB", path, folder / "out").code == 0


def test_of_a_disc_that_was_cut_short_what_is_there_is_extracted(
    diskwright: Command, folder: Path
) -> None:
    path = folder / "cut.iso"
    whole = plain(direc(b"A.TXT;1", FILE, 6), direc(b"B.TXT;1", 39, 6))
    path.write_bytes(whole[: 39 * 2048])
    ended = diskwright("iso", "inspect", path)
    assert (ended.code, "truncated: the iso9660 tree has 1 file(s) past" in ended.out) == (0, True)
    ended = diskwright("iso", "extract", path, folder / "out")
    assert (ended.code, "'B.TXT' lies past the end" in ended.err) == (10, True)
    assert files_below(folder) == ["cut.iso"]
    assert diskwright("iso", "extract", path, folder / "out", "A.TXT").code == 0
    assert (folder / "out/A.TXT").read_bytes() == b"hello\n"


def test_what_is_no_iso_is_refused(diskwright: Command, folder: Path) -> None:
    path = folder / "disk.iso"
    path.write_bytes(bytes(1 << 20))
    for words in (["inspect", path], ["list", path], ["extract", path, folder / "out"]):
        ended = diskwright("iso", *words)
        assert (ended.code, "[not-an-iso]" in ended.err) == (10, True)
    assert files_below(folder) == ["disk.iso"]


def test_ctrl_c_leaves_nothing(diskwright: Command, folder: Path) -> None:
    path = many_files(folder / "many.iso", 4000, size=1 << 20, sectors=2_100_000)
    target = folder / "out"
    process = diskwright.start("iso", "extract", "--max-size", "1TiB", path, target)
    while not target.exists() or not files_below(target):
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert files_below(folder) == ["many.iso"]


@pytest.mark.parametrize("name", ["inspect", "list", "extract"])
def test_help_has_examples(diskwright: Command, name: str) -> None:
    ended = diskwright("iso", name, "--help")
    assert (ended.code, "Examples:" in ended.out) == (0, True)
