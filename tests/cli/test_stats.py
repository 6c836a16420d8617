"""`--stats`: what reading cost stands beside the facts, never in them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from diskwright.model.guest import Section
from support.command import FIXTURE, Command
from support.images import qemu_img

FIELDS = {"bytes_read", "reads", "seconds", "stages", "peak_memory"}


def stats_of(ended_out: str) -> dict[str, Any]:
    (result,) = json.loads(ended_out)["results"]
    stats: dict[str, Any] = result["stats"]
    return stats


@pytest.mark.parametrize("verb", ["inspect", "validate"])
def test_the_document_has_what_it_cost(verb: str, diskwright: Command) -> None:
    ended = diskwright(verb, "--stats", "--output", "json", FIXTURE)
    stats = stats_of(ended.out)
    assert set(stats) == FIELDS
    size = ended.document["results"][0]["facts"]["image"]["virtual_size"]
    assert 1 << 16 < stats["bytes_read"] < size
    assert 1 < stats["reads"] <= stats["bytes_read"] // 512
    assert 1 << 20 < stats["peak_memory"] < 1 << 30
    assert {Section.TABLE, Section.FILESYSTEMS, Section.KERNELS} <= set(stats["stages"])
    assert set(stats["stages"]) <= set(Section)
    assert 0 < sum(stats["stages"].values()) <= stats["seconds"]


@pytest.mark.parametrize("verb", ["inspect", "validate"])
def test_it_is_told_in_one_line_on_stderr(verb: str, diskwright: Command) -> None:
    plain, told = diskwright(verb, FIXTURE), diskwright(verb, "--stats", FIXTURE)
    assert told.out == plain.out
    assert told.code == plain.code
    (line,) = told.err.splitlines()
    assert line.startswith(f"diskwright: stats: {FIXTURE}: ")
    for word in ("of the disk in", "reads", "kernels", "of memory"):
        assert word in line


def test_facts_are_the_same_with_it_and_without(diskwright: Command) -> None:
    """And the same disk costs the same bytes."""
    plain = diskwright("inspect", "--output", "json", FIXTURE).document["results"][0]
    first = diskwright("inspect", "--stats", "--output", "json", FIXTURE).document["results"][0]
    again = diskwright("inspect", "--stats", "--output", "json", FIXTURE).document["results"][0]
    counts = ("bytes_read", "reads")
    assert [first["stats"][c] for c in counts] == [again["stats"][c] for c in counts]
    del first["stats"], again["stats"]
    assert first == again == plain


def test_what_lies_behind_the_data_is_not_read(diskwright: Command, tmp_path: Path) -> None:
    """A disk that is larger by a TiB of nothing costs no more."""
    small, large = tmp_path / "small.qcow2", tmp_path / "large.qcow2"
    shutil.copyfile(FIXTURE, small)
    shutil.copyfile(FIXTURE, large)
    qemu_img("resize", "-q", large, "+1T")
    read = [
        stats_of(diskwright("inspect", "--stats", "--output", "json", path).out)["bytes_read"]
        for path in (small, large)
    ]
    assert read[1] <= read[0] + (1 << 20)


def test_of_several_disks_each_has_a_line(diskwright: Command, tmp_path: Path) -> None:
    other = tmp_path / "empty.raw"
    other.write_bytes(bytes(1 << 20))
    ended = diskwright("validate", "--stats", "--data", FIXTURE, other)
    lines = [line for line in ended.err.splitlines() if line.startswith("diskwright: stats: ")]
    assert [line.split(": ")[2] for line in lines] == [str(FIXTURE), str(other)]


def test_what_was_refused_has_no_line(diskwright: Command, tmp_path: Path) -> None:
    missing = tmp_path / "missing.qcow2"
    ended = diskwright("inspect", "--stats", "--output", "json", missing)
    assert "stats" not in ended.err
    assert "stats" not in ended.document["results"][0]
