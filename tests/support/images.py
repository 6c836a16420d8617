"""Image files for tests: from bytes, or made by qemu-img; and looking at one as a user would."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from diskwright.formats.identity import open_image
from diskwright.formats.inspect import inspect_image
from diskwright.model.image import ImageFacts, ImageFormat


def look_at(path: Path | str, *, requested: ImageFormat | None = None) -> ImageFacts:
    fd, identity = open_image(str(path))
    try:
        return inspect_image(fd, identity, requested=requested)
    finally:
        os.close(fd)


# qemu-img times LUKS's key derivation by the processor time of its thread; a kernel that counts in
# ticks says one time in four that it was none.
NO_CPU_TIME = "Unable to get accurate CPU usage"
TRIES = 10


def qemu_img(*arguments: str | Path) -> str:
    for _ in range(TRIES):
        done = subprocess.run(
            ["qemu-img", *map(str, arguments)], capture_output=True, text=True, check=False
        )
        if NO_CPU_TIME not in done.stderr:
            break
    done.check_returncode()
    return done.stdout


def qemu_io(path: Path, *commands: str) -> None:
    words = [word for command in commands for word in ("-c", command)]
    subprocess.run(["qemu-io", "-f", "qcow2", *words, str(path)], check=True, capture_output=True)


def qemu_info(path: Path, image_format: str) -> dict[str, Any]:
    info: dict[str, Any] = json.loads(
        qemu_img("info", "-f", image_format, "--output", "json", path)
    )
    return info


def patterned(blocks: str, unit: int = 65536) -> bytes:
    """`"A0-B"`: a unit for each letter; `0` and `-` are zeros, `~` can't be compressed."""
    return b"".join(
        bytes(unit)
        if letter in "0-"
        else os.urandom(unit)
        if letter == "~"
        else letter.encode() * unit
        for letter in blocks
    )
