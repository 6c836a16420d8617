"""Under strace: inspect, validate and convert open a hostile file, and nothing else of the machine.

What every run may open, and why, stands in `support/traced.py`.
"""

from __future__ import annotations

import csv
import os
import shutil
from pathlib import Path

import pytest

from support.command import Command
from support.hostile.corpus import Row
from support.image_corpus import flatten, folder
from support.traced import trace

VERBS = ("inspect", "validate", "convert")
# No file of the corpus may lead to these, which some of them name.
NAMED = ("/etc/passwd", "/etc/shadow", "/etc/hostname")


def files() -> list[str]:
    with (folder() / "hostile" / "MANIFEST.tsv").open(encoding="utf-8", newline="") as lines:
        rows = [Row(**line) for line in csv.DictReader(lines, delimiter="\t")]
    return [row.file for row in rows]


def assert_only_itself(verb: str, image: Path, folder: Path, home: Path) -> int:
    output = folder / "out" / "disk.raw" if verb == "convert" else None
    (folder / "out").mkdir(parents=True)
    traced = trace(Command(home), folder, verb, image, output)
    traced.assert_nothing_else()
    assert not [call.line for call in traced.calls if call.path in NAMED]
    assert os.listdir(folder / "tmp") == []
    return traced.ended.code


@pytest.mark.parametrize("name", files())
def test_a_hostile_file_makes_nothing_else_be_opened(name: str, tmp_path: Path) -> None:
    home, image = tmp_path / "home", tmp_path / "image" / name
    home.mkdir()
    image.parent.mkdir()
    shutil.copyfile(folder() / "hostile" / name, image)
    for verb in VERBS:
        code = assert_only_itself(verb, image, tmp_path / verb, home)
        assert code in (0, 3, 10)


@pytest.mark.parametrize("image_format", ["qcow2", "raw"])
def test_a_good_disk_makes_nothing_else_be_opened(image_format: str, tmp_path: Path) -> None:
    home, images = tmp_path / "home", tmp_path / "image"
    home.mkdir()
    images.mkdir()
    image = flatten("linux/debian12-uefi-ext4.qcow2", images, image_format)
    for verb in VERBS:
        assert assert_only_itself(verb, image, tmp_path / verb, home) == 0
