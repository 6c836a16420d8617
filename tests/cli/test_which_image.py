"""Which image `restore` takes, and what it says that it knows of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from support.command import FIXTURE, Command, files_below, one_line_and_a_hint


@pytest.fixture
def library(diskwright, folder, tiny_disk) -> Path:
    """Three small raw images: `one`, `two` and `three`."""
    for name in ("one", "two", "three"):
        prepare(diskwright, tiny_disk, folder / "library", "--name", name, "-O", "raw")
    return folder / "library"


def prepare(command: Command, source: Path, library: Path, *options: str) -> None:
    ended = command("prepare", source, "--to", f"dir:{library}", "--data", *options)
    assert ended.code == 0, ended.err


def manifest_of(library: Path, name: str) -> Path:
    for path in library.glob("manifests/*.json"):
        if json.loads(path.read_bytes()).get("body", {}).get("name") == name:
            return path
    raise AssertionError(name)


def rewrite(path: Path, change: Callable[[dict], None]) -> None:
    manifest = json.loads(path.read_bytes())
    change(manifest)
    path.chmod(0o600)
    path.write_text(json.dumps(manifest, sort_keys=True, separators=(",", ":")))


def test_a_manifest_that_cant_be_read_blocks_no_other_image(diskwright, folder, library):
    damaged = manifest_of(library, "one")
    damaged.chmod(0o600)
    damaged.write_bytes(b"{}")
    url = f"dir:{library}"
    ended = diskwright("restore", url, folder / "two", "--image", "two")
    assert ended.code == 0, ended.err
    assert damaged.name in ended.out  # passed over, and said
    for wanted in (["--image", "one"], ["--image", damaged.stem]):
        ended = diskwright("restore", url, folder / "one", *wanted)
        assert ended.code == 12, ended.err
        assert damaged.name in one_line_and_a_hint(ended)
    ended = diskwright("restore", url, folder / "one")
    assert ended.code == 14  # two are left: no guess
    for name in ("two", "three"):  # what there is to choose from, and since when
        found = json.loads(manifest_of(library, name).read_bytes())
        assert f"{found['image']} ({name}, {found['time']})" in ended.err
    assert not (folder / "one").exists()


def test_the_only_one_that_can_be_read_is_not_taken_for_the_only_one(diskwright, folder, tiny_disk):
    library = folder / "pair"
    for name in ("one", "two"):
        prepare(diskwright, tiny_disk, library, "--name", name, "-O", "raw")
    damaged = manifest_of(library, "one")
    damaged.chmod(0o600)
    damaged.write_bytes(b"{}")
    ended = diskwright("restore", f"dir:{library}", folder / "out")
    assert ended.code == 12
    assert damaged.name in one_line_and_a_hint(ended)


def test_a_folder_that_is_not_there_is_called_so(diskwright, folder):
    for wanted in ([], ["--image", "web"]):
        ended = diskwright("restore", f"dir:{folder / 'no'}", folder / "out", *wanted)
        assert ended.code == 10
        assert "no such folder" in one_line_and_a_hint(ended)
    (folder / "empty").mkdir()
    assert diskwright("restore", f"dir:{folder / 'empty'}", folder / "out").code == 14


def test_with_a_key_only_a_sealed_image_will_do(diskwright, folder, library):
    assert diskwright("key", "new", folder / "kek.json").code == 0
    key = f"local:{folder / 'kek.json'}"
    ended = diskwright("restore", f"dir:{library}", folder / "out", "--image", "two", "--key", key)
    assert ended.code == 12
    assert "is not sealed, though a key was given" in one_line_and_a_hint(ended)
    target = f"dir:{folder / 'other'}"
    ended = diskwright("restore", f"dir:{library}", "--to", target, "--image", "two", "--key", key)
    assert ended.code == 12
    assert not (folder / "out").exists()
    diskwright.environment["DISKWRIGHT_KEY"] = key
    assert diskwright("restore", f"dir:{library}", folder / "out", "--image", "two").code == 12


def test_of_several_disks_none_is_guessed(diskwright, folder, library):
    path = manifest_of(library, "one")

    def second(manifest: dict) -> None:
        for disks in (manifest["objects"], manifest["body"]["disks"]):
            disks.append(disks[0] | {"key": disks[0]["key"].replace("-0.raw", "-1.raw")})

    rewrite(path, second)
    ended = diskwright("restore", f"dir:{library}", folder / "out", "--image", "one")
    assert ended.code == 2
    assert "has 2 disks" in one_line_and_a_hint(ended)
    assert "--disk NUMBER: 1, 2" in ended.err
    assert not (folder / "out").exists()


def test_a_digest_is_told_as_computed_only_where_it_was(diskwright, folder, library):
    url = f"dir:{library}"
    path = manifest_of(library, "one")
    rewrite(path, lambda manifest: manifest["body"]["disks"][0].update(digest="0" * 64))
    ended = diskwright("restore", url, folder / "text", "--image", "one")
    assert f"dw1:{'0' * 64} (by its manifest)" in ended.out
    document = diskwright(
        "restore", url, folder / "json", "--image", "one", "--output", "json"
    ).document
    made = document["results"][0]["made"]
    assert (made["digest"], made["manifest_digest"]) == ("", "0" * 64)
    assert made["verified"] is False
    assert diskwright("restore", url, folder / "no", "--image", "one", "--verify").code == 12
    assert not (folder / "no").exists()


def test_a_qcow2_of_another_size_than_its_manifests_is_refused(diskwright, folder):
    library = folder / "qcow2"
    prepare(diskwright, FIXTURE, library, "--name", "web")
    before = files_below(folder)

    def smaller(manifest: dict) -> None:
        manifest["body"]["disks"][0].update(virtual_size=1 << 20, exact_size=1 << 20)

    rewrite(manifest_of(library, "web"), smaller)
    ended = diskwright("restore", f"dir:{library}", folder / "out")
    assert ended.code == 12
    assert "no qcow2 file of the size" in one_line_and_a_hint(ended)
    assert files_below(folder) == before
