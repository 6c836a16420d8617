"""What the command says at a library, where a person has to go on from it."""

from __future__ import annotations

import shlex

import pytest

from support.care import small_disk
from support.command import FIXTURE, one_line_and_a_hint


@pytest.fixture
def at(diskwright, folder):
    """The command at a library with a data disk image."""
    assert diskwright("library", "init", "own", folder / "library").code == 0
    disk = small_disk(folder / "disk.raw")
    made = ["image", "create", "--data", "--from-file", disk, "--name", "data", "--tag", "a"]
    assert diskwright(*made, "--tag", "b=1").code == 0
    return diskwright


def hint_of(ended) -> str:
    one_line_and_a_hint(ended)
    return ended.err.partition("hint: ")[2].strip()


def test_an_empty_list_says_what_is_next(diskwright, folder):
    assert diskwright("library", "init", "own", folder / "library").code == 0
    assert diskwright("image", "list").err == (
        "diskwright: no images; make one: diskwright image create --from-file FILE\n"
    )
    assert diskwright("image", "list", "--name", "x").err == "diskwright: no images\n"


def test_a_data_disk_image_has_no_system(at):
    (found,) = at("image", "list", "--output", "json").document["results"]
    entry = found["entry"]
    assert (entry["os_type"], entry["boot_mode"], entry["os"]) == ("", "", "")
    assert "Linux" not in at("image", "list").out
    assert at("image", "list", "--memory", "4GiB").out == ""


def test_a_tag_with_an_empty_value_is_asked_for(at):
    for asked, there in {"a": True, "a=": True, "b": True, "b=": False, "b=1": True}.items():
        assert bool(at("image", "list", "--tag", asked).out) is there, asked


def test_memory_is_told_with_its_unit(at, folder):
    assert at("image", "create", "--from-file", FIXTURE, "--name", "web").code == 0
    assert "minimum memory: 2048 MiB" in at("image", "set", "web", "--min-memory", "2GiB").out
    at("image", "set", "web", "--max-memory", "4GiB")
    assert "maximum memory: no limit" in at("image", "set", "web", "--max-memory", "0").out
    ended = at("image", "set", "web", "--min-memory", "much")
    assert ended.code == 2
    assert "(as 512MiB, 2GiB)" in ended.err
    create = ["server", "create", "--image", "web", "--dry-run"]
    assert at(*create).out == "server web would be made of image web, on disks of its own\n"
    refused = at(*create, "--memory", "64MiB")
    assert refused.code == 2
    command = hint_of(refused).partition("diskwright ")[2]
    ended = at(*shlex.split(command))
    assert ended.code == 0, ended.err
    assert at(*create, "--memory", "64MiB").code == 0


def test_a_rehearsed_export_promises_nothing_that_fails(at, folder):
    export = ["image", "export", "data", "--dry-run", "--to"]
    assert at(*export, f"dir:{folder / 'nowhere' / 'out.raw'}").code == 15
    assert at(*export, f"dir:{folder / 'out.raw'}").code == 0
    (folder / "out.raw.sha256").touch()
    assert at(*export, f"dir:{folder / 'out.raw'}").code == 14
    assert at(*export, f"dir:{folder / 'out.raw'}", "--force").code == 0


@pytest.mark.s3
def test_a_rehearsed_export_to_a_bucket(s3, folder):
    assert s3("library", "init", "own", folder / "library").code == 0
    disk = small_disk(folder / "disk.raw")
    assert s3("image", "create", "--data", "--from-file", disk, "--name", "data").code == 0
    export = ["image", "export", "data", "--to", f"{s3.target}/out.raw"]
    assert s3(*export, "--dry-run").code == 0
    assert s3(*export).code == 0
    assert s3(*export, "--dry-run").code == 14
    nowhere = s3("image", "export", "data", "--to", "s3://no-such-bucket-here/o", "--dry-run")
    assert nowhere.code == 13, nowhere.out


@pytest.mark.parametrize("name", ["-web", "0193f2aa-0000-7000-8000-000000000000"])
def test_what_is_no_name(at, folder, name):
    create = ["image", "create", "--data", "--from-file", folder / "disk.raw", f"--name={name}"]
    for words in (
        create,
        ["image", "set", "data", f"--name={name}"],
        ["image", "replicate", "data", f"--name={name}"],
    ):
        ended = at(*words)
        assert ended.code == 2
        assert "would be taken for" in one_line_and_a_hint(ended)


def test_a_place_of_an_unknown_kind_makes_no_folder(diskwright, folder, monkeypatch):
    monkeypatch.chdir(folder)
    for url in ("s3:/images", "s4:/x", "http://host/x"):
        ended = diskwright("library", "init", "own", url)
        assert ended.code == 2
        one_line_and_a_hint(ended)
    assert list(folder.iterdir()) == []


def test_a_key_of_the_wrong_half(at, folder):
    new = at("key", "new", folder / "ada.json", "--receiver", "--name", "Ada")
    assert "library follow URL --key receiver:" in new.out
    for words in (
        ["account", "add", "ada", folder / "ada.json"],
        ["image", "share", "data", "--with", folder / "ada.json"],
    ):
        ended = at(*words)
        assert ended.code == 12
        assert hint_of(ended) == f"give the public one: {folder / 'ada.json'}.pub"
    ended = at("image", "download", "data", folder / "out", "--key", f"local:{folder / 'none'}")
    assert ended.code == 12
    assert "opens nothing that is sealed" in hint_of(ended)


def test_data_that_is_gone_says_how_to_look(at, folder):
    for path in (folder / "library" / "images").glob("*/*"):
        path.unlink()
    assert "diskwright library check" in hint_of(at("image", "download", "data", folder / "out"))
