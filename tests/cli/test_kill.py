"""`kill -9` at any moment: a whole image or none, no process left, and the next run cleans up.

Six kills a series; `scripts/soak` does fifty.
"""

from __future__ import annotations

import random

import pytest

from support import kills

KILLS = 6
SEED = 20_26

pytestmark = pytest.mark.slow


@pytest.fixture
def scratch(tmp_path):
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


def test_of_prepare_to_a_folder(diskwright, dir_place, data_disk, tiny_disk, scratch):
    series = kills.kill_prepares(
        diskwright,
        dir_place,
        data_disk,
        tiny_disk,
        [],
        count=KILLS,
        draw=random.Random(SEED),
        scratch=scratch,
    )
    assert series.kills >= KILLS // 2


@pytest.mark.s3
def test_of_a_sealed_prepare_to_a_bucket(s3, s3_place, data_disk, tiny_disk, scratch):
    key = s3.home / "kek.json"
    assert s3("key", "new", key).code == 0
    series = kills.kill_prepares(
        s3,
        s3_place,
        data_disk,
        tiny_disk,
        ["--key", f"local:{key}"],
        count=KILLS,
        draw=random.Random(SEED),
        scratch=scratch,
    )
    assert series.kills >= KILLS // 2


def test_of_restore(diskwright, dir_place, data_disk, scratch):
    place = dir_place.url
    assert diskwright("prepare", data_disk, "--data", "--to", place).code == 0
    series = kills.kill_restores(
        diskwright, [place], data_disk, count=KILLS, draw=random.Random(SEED), scratch=scratch
    )
    assert series.kills >= KILLS // 2


@pytest.mark.parametrize("option", [["--verify"], ["-O", "raw"]], ids=["verified", "to raw"])
def test_of_a_sealed_restore_that_stages(diskwright, dir_place, data_disk, scratch, option):
    place, key = dir_place.url, diskwright.home / "kek.json"
    assert diskwright("key", "new", key).code == 0
    sealing = ["--key", f"local:{key}"]
    assert diskwright("prepare", data_disk, "--data", "--to", place, *sealing).code == 0
    series = kills.kill_restores(
        diskwright,
        [place, *option, *sealing],
        data_disk,
        count=3,
        draw=random.Random(SEED),
        scratch=scratch,
        made_format="raw" if "raw" in option else "qcow2",
    )
    assert series.kills >= 1
    assert series.stages >= 1
