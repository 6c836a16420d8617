"""The folder of disks that `scripts/test-images` names: its manifests, and copies to work on."""

from __future__ import annotations

import csv
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

VARIABLE = "DISKWRIGHT_IMAGES"

# Readable by this version, and with nothing wrong
GOOD_EXT4 = ("debian12-bios-ext4", "debian12-uefi-ext4", "debian12-gpt-swap-var")


def folder() -> Path:
    return Path(os.environ[VARIABLE])


@dataclass(frozen=True)
class Disk:
    """A row of MANIFEST.tsv; `file` is relative to the corpus."""

    file: str
    what: str
    expected_facts: str
    expected_finding: str

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        return Path(self.file).stem

    @property
    def base(self) -> str | None:
        """The file that it differs from in one thing."""
        match = re.search(r"\[delta on (\S+)\]", self.what)
        return f"linux/{match[1]}" if match else None


def disks(kind: str) -> list[Disk]:
    """The rows of `linux` or `windows`."""
    with (folder() / "MANIFEST.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    columns = ("file", "what", "expected_facts", "expected_finding")
    found = [Disk(*(row[column] for column in columns)) for row in rows]
    return [disk for disk in found if disk.file.startswith(f"{kind}/")]


def good_ext4() -> list[Disk]:
    return [d for d in disks("linux") if d.name in GOOD_EXT4 or d.name.startswith("good-")]


def flatten(file: str, into: Path, image_format: str) -> Path:
    """A copy in one file of its own: the corpus' deltas name their base."""
    path = into / f"{Path(file).stem}.{image_format}"
    argv = ["qemu-img", "convert", "-O", image_format, str(folder() / file), str(path)]
    subprocess.run(argv, check=True)
    return path
