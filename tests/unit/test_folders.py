"""Which files of a folder are images: by their endings, sorted, bounded, no link followed."""

from __future__ import annotations

import os

import pytest

from diskwright.errors import FolderWithoutImages, InputUnreadable
from diskwright.ops import folders
from diskwright.ops.folders import images_below, is_image_name


@pytest.mark.parametrize(
    "name",
    [
        "a.qcow2",
        "A.QCOW2",
        "a.raw",
        "a.img",
        "a.vmdk",
        "a.vhd",
        "a.vhdx",
        "a.vdi",
        "a.qed",
        "a.hdd",
        "a.ova",
        "a.raw.xz",
        "a.img.gz",
        "a.qcow2.zst",
        "a.vmdk.bz2",
        "a-s1.vmdk",
        "a.b.raw",
    ],
)
def test_an_image_by_its_ending(name):
    assert is_image_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "a",
        "raw",
        ".raw",
        "a.txt",
        "a.gz",
        "notes.txt.xz",
        "a.tar.gz",
        "a.zip",
        "a.iso",
        "a.ovf",
        "a-flat.vmdk",
        "a-s001.vmdk",
        "A-F001.VMDK",
        "a.qcow2.part",
        ".xz",
    ],
)
def test_no_image_by_its_ending(name):
    assert not is_image_name(name)


def make(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_a_folder_is_looked_through_and_sorted(tmp_path):
    make(tmp_path, "b.raw", "a/z.qcow2", "a.raw", "a/b/c.img", "readme.txt", "a-b.raw")
    found = [os.path.relpath(path, tmp_path) for path in images_below(str(tmp_path))]
    assert found == ["a/b/c.img", "a/z.qcow2", "a-b.raw", "a.raw", "b.raw"]


def test_paths_begin_as_the_folder_was_named(tmp_path, monkeypatch):
    make(tmp_path, "one/x.raw")
    monkeypatch.chdir(tmp_path)
    assert images_below("one/") == ("one/x.raw",)
    assert images_below(".") == ("./one/x.raw",)


def test_links_and_special_files_are_left_out(tmp_path):
    make(tmp_path, "in/x.raw", "out/y.raw")
    os.symlink("../out", tmp_path / "in" / "folder")
    os.symlink("..", tmp_path / "in" / "loop")
    os.symlink("../out/y.raw", tmp_path / "in" / "z.raw")
    os.mkfifo(tmp_path / "in" / "pipe.raw")
    (tmp_path / "in" / "folder.raw").mkdir()
    assert images_below(str(tmp_path / "in")) == (str(tmp_path / "in" / "x.raw"),)


def test_a_folder_without_images_is_an_error(tmp_path):
    make(tmp_path, "notes.txt")
    with pytest.raises(FolderWithoutImages):
        images_below(str(tmp_path))


@pytest.mark.parametrize("limit", ["MOST_ENTRIES", "MOST_DEPTH"])
def test_the_search_is_bounded(tmp_path, monkeypatch, limit):
    make(tmp_path, "a/b/c/d/x.raw", "y.raw")
    monkeypatch.setattr(folders, limit, 3)
    with pytest.raises(InputUnreadable):
        images_below(str(tmp_path))


def test_what_can_not_be_listed_is_told(tmp_path, monkeypatch):
    make(tmp_path, "x.raw", "a/y.raw")

    def refuse(path):
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(folders.os, "scandir", refuse)
    with pytest.raises(InputUnreadable, match="Permission denied"):
        images_below(str(tmp_path))
