"""Disks in other formats: made by qemu-img out of order, and read by it as our facts tell it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from diskwright.formats.identity import take_identity
from diskwright.formats.qemu import image_options
from diskwright.model.image import DiskFile, ImageFacts
from support.images import patterned, qemu_img

UNIT = 65536
WRITES = ((70, "A"), (3, "B"), (41, "C"), (42, "D"), (0, "E"), (99, "F"))  # units, out of order


def make(path: Path, driver: str, options: str, size: int) -> bytes:
    """A disk of `size` bytes written out of order; returns its first 100 units."""
    choice = ["-o", options] if options else []
    qemu_img("create", "-q", "-f", driver, *choice, path, str(size))
    words: list[str] = []
    for unit, letter in WRITES:
        words += ["-c", f"write -P {ord(letter)} {unit * UNIT} {UNIT}"]
    run = ["qemu-io", "-f", driver, *words, str(path)]
    subprocess.run(run, check=True, capture_output=True)
    letters = ["0"] * 100
    for unit, letter in WRITES:
        letters[unit] = letter
    return patterned("".join(letters))


def options_of(path: Path, facts: ImageFacts) -> str:
    disk = DiskFile(take_identity(str(path)), facts.format, vhd_size=facts.vhd_size)
    return image_options(disk)


def info_of(path: Path, facts: ImageFacts) -> dict[str, Any]:
    said = qemu_img("info", "--output", "json", "--image-opts", options_of(path, facts))
    info: dict[str, Any] = json.loads(said)
    return info


def bytes_of(path: Path, facts: ImageFacts) -> bytes:
    """The guest's bytes, as qemu reads them when it is told what we decided."""
    raw = path.with_suffix(".read")
    qemu_img("convert", "-O", "raw", "--image-opts", options_of(path, facts), raw)
    return raw.read_bytes()
