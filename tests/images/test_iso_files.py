"""Every ISO of the corpus through the real command: the facts of its MANIFEST, within bounds."""

from __future__ import annotations

import csv
import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from support.command import Command, files_below
from support.image_corpus import folder
from support.iso_mutants import escapes
from support.watched import watch

LIMIT_BYTES = 100 << 20

# Newer than what Debian 12 has: not named until the database knows them, and never named wrongly.
NEWER = ("debian12-hybrid.iso", "ubuntu2404-efi.iso")
TREES = {
    "iso9660-only.iso": "iso9660",
    "joliet.iso": "joliet",
    "udf.iso": "joliet",
    "windows-udf.iso": "udf",
}
SYSTEMS = {
    "debian11-hybrid.iso": ("debian11", "Debian 11"),
    "debian12-hybrid.iso": ("debian12", "Debian 12"),
    "ubuntu2204-efi.iso": ("ubuntu22.04", "Ubuntu 22.04"),
    "ubuntu2404-efi.iso": ("ubuntu24.04", "Ubuntu 24.04"),
    "rhel93-bios.iso": ("rhel9", "Red Hat Enterprise Linux 9"),
    "windows-udf.iso": ("win1", "Microsoft Windows 1"),
}


@dataclass(frozen=True)
class Row:
    file: str
    sha256: str
    volume_id: str
    what: str
    expected: str

    def __str__(self) -> str:
        return self.file


def rows() -> list[Row]:
    with (folder() / "iso" / "MANIFEST.tsv").open(encoding="utf-8", newline="") as lines:
        return [Row(**line) for line in csv.DictReader(lines, delimiter="\t")]


ROWS = rows()


@pytest.fixture
def image(row: Row, work: Path) -> Path:
    path = work / row.file
    shutil.copyfile(folder() / "iso" / row.file, path)
    return path


def inspected(command: Command, image: Path) -> dict[str, Any]:
    run = watch(command, "iso", "inspect", "--output", "json", image)
    assert run.ended.code == 0, run
    assert run.peak < LIMIT_BYTES, run
    assert run.left == []
    facts: dict[str, Any] = run.ended.document["results"][0]["facts"]["iso"]
    return facts


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_an_iso_has_the_facts_of_its_manifest(row: Row, image: Path, diskwright: Command) -> None:
    facts = inspected(diskwright, image)
    assert facts["volume_id"] == row.volume_id
    assert facts["problems"] == []
    assert facts["tree"] == TREES.get(row.file, "rock-ridge")
    assert ("udf" in facts["trees"]) == ("UDF" in row.what)
    assert ("joliet" in facts["trees"]) == (facts["joliet_level"] is not None)
    boots = row.what.partition("El Torito")[2]
    firmware = [name for name, word in (("bios", "BIOS"), ("efi", "UEFI")) if word in boots]
    assert facts["firmware"] == firmware
    assert facts["usb_bootable"] == ("usb-bootable" in row.expected)
    assert facts["gpt"] == ("usb-bootable" in row.expected)
    system = facts["installs"]
    if row.file not in SYSTEMS:
        assert system is None
    elif system is None:
        assert row.file in NEWER
        assert facts["os_database"] < "2023"
    else:
        short_id, name = SYSTEMS[row.file]
        assert system["id"].startswith(short_id)
        assert system["name"].startswith(name)
        assert system["minimum_memory"] >= 1 << 30
        assert system["minimum_storage"] >= 10 << 30


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_an_iso_is_extracted_whole(row: Row, image: Path, diskwright: Command, work: Path) -> None:
    target = work / "out"
    before = hashlib.sha256(image.read_bytes()).hexdigest()
    ended = diskwright("iso", "extract", "--output", "json", image, target)
    assert ended.code == 0, ended
    made = ended.document["results"][0]["made"]
    assert made["left_out"] == []
    listed = diskwright("iso", "list", "--output", "json", image).document["results"][0]
    assert files_below(target) == sorted(entry["path"] for entry in listed["entries"])
    for entry in listed["entries"]:
        path = target / entry["path"]
        assert path.is_symlink() == (entry["kind"] == "link")
        if entry["kind"] == "file":
            assert path.stat().st_size == entry["size"]
    contents = {p.read_bytes() for p in target.rglob("*") if p.is_file()}
    assert b"content of a test disc\n" in contents
    assert b"a long name\n" in contents
    assert escapes(target) == []
    assert hashlib.sha256(image.read_bytes()).hexdigest() == before
