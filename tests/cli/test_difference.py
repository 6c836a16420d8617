"""`inspect --diff`: what changed from one image to another, and exit code 0 whether or not."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from support.command import FIXTURE, files_below, one_line_and_a_hint
from support.iso_maker import write

ROOT_START = 34603008  # the fixture's second partition: ext4


@pytest.fixture
def pair(folder, raw_disk):
    """A real disk, and the same with other files."""
    shutil.copy(FIXTURE, folder / "before.qcow2")
    after = folder / "after.raw"
    subprocess.run(["cp", "--sparse=always", raw_disk, after], check=True)
    (folder / "hostname").write_text("other\n")
    commands = [
        "rm /etc/hostname",
        f"write {folder}/hostname /etc/hostname",
        f"write {folder}/hostname /etc/new.conf",
        f"write {folder}/hostname /usr/new",
        "set_inode_field /etc/fstab mode 0100600",
        "symlink /etc/link ../usr/new",
    ]
    (folder / "commands").write_text("\n".join(commands) + "\n")
    subprocess.run(
        ["debugfs", "-w", "-f", folder / "commands", f"{after}?offset={ROOT_START}"],
        check=True,
        capture_output=True,
    )
    return folder


def changed(difference, section):
    return [(one["change"], one["path"]) for one in difference[section]]


SETTINGS = [
    ("changed", "/etc/fstab"),
    ("changed", "/etc/hostname"),
    ("added", "/etc/link"),
    ("added", "/etc/new.conf"),
]


def test_what_changed_is_told_and_nothing_else(diskwright, pair):
    before = files_below(pair)
    words = ["inspect", "--diff", "before.qcow2", "after.raw"]
    ended = diskwright(*words, cwd=pair)
    assert (ended.code, ended.err) == (0, "")
    lines = [line.strip() for line in ended.out.splitlines()]
    assert "+ /etc/new.conf  6 B" in lines
    assert "+ /etc/link  link to ../usr/new" in lines
    assert "mode 644 -> 600" in ended.out
    assert lines[-1].endswith("0 packages, 4 files below /etc")
    (result,) = diskwright(*words, "--output", "json", cwd=pair).document["results"]
    difference = result["difference"]
    assert (difference["a"], difference["b"]) == ("before.qcow2", "after.raw")
    assert changed(difference, "configuration") == SETTINGS
    assert (difference["files"], difference["packages"]) == (None, [])
    assert difference["not_compared"] == []
    paths = {one["path"] for one in difference["facts"]}
    assert "image.format" in paths
    assert not paths & {"image.file_size", "image.allocated"}
    assert {p for p in paths if p.startswith("guest.")} == {"guest.filesystems.1.free"}
    assert files_below(pair) == before


def test_with_files_every_file(diskwright, pair):
    words = ["inspect", "--diff", "--files", "--output", "json", "before.qcow2", "after.raw"]
    difference = diskwright(*words, cwd=pair).document["results"][0]["difference"]
    assert changed(difference, "configuration") == SETTINGS
    assert changed(difference, "files") == [("added", "/usr/new")]


def test_an_image_and_itself(diskwright, pair):
    ended = diskwright("inspect", "--diff", "--files", "before.qcow2", "before.qcow2", cwd=pair)
    assert ended.code == 0
    assert len(ended.out.splitlines()) == 3
    said = ended.out.splitlines()[-1].partition(" ")[2].strip()
    assert said == "0 facts, 0 packages, 0 files below /etc, 0 other files"


def test_one_that_can_not_be_read(diskwright, pair):
    for names in (("before.qcow2", "missing"), ("missing", "before.qcow2")):
        ended = diskwright("inspect", "--diff", *names, cwd=pair)
        assert (ended.code, ended.out) == (10, "")
        assert "missing: no such file" in one_line_and_a_hint(ended)


def test_a_disk_without_a_system_is_told_as_such(diskwright, pair):
    (pair / "zeros.raw").write_bytes(bytes(1 << 20))
    ended = diskwright("inspect", "--diff", "before.qcow2", "zeros.raw", cwd=pair)
    assert ended.code == 0
    assert "packages unknown, 0 files below /etc" in ended.out
    said = " ".join(ended.out.split())
    assert "not compared b: guest.root, guest.os, guest." in said
    assert " b: packages: no file system of this disk" in said
    assert "guest.fstab: [" not in said


@pytest.mark.parametrize(
    "words",
    [
        ["--diff", "before.qcow2"],
        ["--diff", "before.qcow2", "before.qcow2", "before.qcow2"],
        ["--diff", "--deep", "before.qcow2", "before.qcow2"],
        ["--diff", "--sbom", "x", "before.qcow2", "before.qcow2"],
        ["--diff", "--stats", "before.qcow2", "before.qcow2"],
        ["--files", "before.qcow2"],
        ["--diff", "before.qcow2", "medium.iso"],
    ],
)
def test_what_can_not_be_asked_for(diskwright, pair, words):
    write(pair / "medium.iso", rock_ridge="1.09")
    ended = diskwright("inspect", *words, cwd=pair)
    assert ended.code == 2
    one_line_and_a_hint(ended)
