"""Every hostile file through the real command: its outcome, its bounds, and nothing left behind."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path
from typing import Any

import pytest

from support.command import Command, files_below, one_line_and_a_hint
from support.hostile.corpus import Row
from support.image_corpus import folder
from support.watched import Watched, watch

LIMIT_S = 5.0
LIMIT_BYTES = 300 << 20

# A table leaves the bytes readable: `validate` fails with the finding.
TABLES = ("gpt-", "mbr-")
# Refused as soon as the bytes are asked for: `inspect` reads the metadata.
WHEN_READ = ("qcow2-compressed-garbage.qcow2",)


def rows() -> list[Row]:
    with (folder() / "hostile" / "MANIFEST.tsv").open(encoding="utf-8", newline="") as lines:
        return [Row(**line) for line in csv.DictReader(lines, delimiter="\t")]


ROWS = rows()


@pytest.fixture
def image(row: Row, work: Path) -> Path:
    path = work / row.file
    shutil.copyfile(folder() / "hostile" / row.file, path)
    return path


def bounded(command: Command, *arguments: str | Path) -> Watched:
    """A run within the limits that left no process and no temporary file."""
    run = watch(command, *arguments)
    assert run.seconds < LIMIT_S, run
    assert run.peak < LIMIT_BYTES, run
    assert run.left == []
    assert [p for p in files_below(command.home) if (command.home / p).is_file()] == []
    assert files_below(command.home / "tmp") == []
    return run


def result(run: Watched) -> dict[str, Any]:
    return run.ended.document["results"][0]


def refusal(run: Watched) -> tuple[str, str]:
    error = result(run)["error"]
    assert (run.ended.code, error["exit_code"]) == (10, 10)
    assert "qemu-img" not in error["hint"]
    return f"refuse-{error['kind']}", error["code"]


def test_the_corpus_is_whole() -> None:
    assert len(ROWS) == 92
    assert set(WHEN_READ) < {row.file for row in ROWS}


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_hostile_file_ends_as_its_manifest_says(
    row: Row, image: Path, diskwright: Command, work: Path
) -> None:
    looked = bounded(diskwright, "inspect", "--output", "json", image)
    if row.file.startswith(TABLES):
        assert (looked.ended.code, result(looked)["error"]) == (0, None)
    elif row.outcome == "accept" or row.file in WHEN_READ:
        assert (looked.ended.code, result(looked)["error"]) == (0, None)
        said = [problem["code"] for problem in result(looked)["facts"]["image"]["problems"]]
        warned = row.outcome == "accept" and row.finding != "none"
        assert said == ([row.finding] if warned else [])
    else:
        assert refusal(looked) == (row.outcome, row.finding)
    assert files_below(work) == [row.file]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_hostile_file_is_converted_whole_or_not_at_all(
    row: Row, image: Path, diskwright: Command, work: Path
) -> None:
    output = work / "out.raw"
    run = bounded(diskwright, "convert", image, output, "-O", "raw")
    taken = row.file.startswith(TABLES) or row.outcome == "accept"
    if taken:
        assert run.ended.code == 0, run
        assert files_below(work) == sorted(["out.raw", row.file])
        return
    line = one_line_and_a_hint(run.ended)
    assert run.ended.code == 10, run
    assert row.file in line
    assert f": {row.outcome.removeprefix('refuse-')}: " in line
    assert line.endswith(f"[{row.finding}]")
    assert files_below(work) == [row.file]


@pytest.mark.parametrize("row", [r for r in ROWS if r.file.startswith(TABLES)], ids=str)
def test_a_table_that_lies_fails_validation_by_its_name(
    row: Row, image: Path, diskwright: Command
) -> None:
    run = bounded(diskwright, "validate", "--output", "json", image)
    failed = [f["id"] for f in result(run)["findings"] if f["result"] == "fail"]
    tables = [name for name in failed if name.partition(".")[2] in LIES]
    assert tables == ([f"disk.{row.finding}"] if row.outcome != "accept" else [])
    assert run.ended.code == 3


LIES = {row.finding for row in ROWS if row.file.startswith(TABLES)}
