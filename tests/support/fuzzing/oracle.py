"""qemu-img on the same bytes: what it reads has to be what we read."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Iterator

from diskwright._values import replace
from diskwright.formats.qemu import image_options
from diskwright.model.image import DiskFile, ImageFormat

_SECONDS = 20


def options(disk: DiskFile) -> str:
    """Of a disk as qemu is told about it."""
    return image_options(disk)


def ways(disk: DiskFile) -> Iterator[str]:
    """`options`; of a chain also those of its first file alone, so that qemu finds the others by
    their names, as everybody does. It takes another size of some VHDs then, or refuses them.
    """
    yield options(disk)
    if disk.backing is not None and ImageFormat.VHD not in _formats(disk):
        yield options(replace(disk, backing=None))


def _formats(disk: DiskFile) -> Iterator[ImageFormat]:
    below: DiskFile | None = disk
    while below is not None:
        yield below.format
        below = below.backing


def _limits() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def difference(copy: str, disk: str) -> str:
    """Between what we read and what `disk` (qemu's options) reads as; empty where there is none."""
    ours = f"driver=raw,file.driver=file,file.filename={copy}"
    argv = ["qemu-img", "compare", "-U", "--image-opts", ours, disk]
    try:
        done = subprocess.run(
            argv,
            capture_output=True,
            timeout=_SECONDS,
            preexec_fn=_limits,
            env={"PATH": os.defpath},
        )
    except subprocess.TimeoutExpired:
        return ""
    said = (done.stdout + done.stderr).decode("utf-8", "replace").strip()
    if done.returncode == 0 and "mismatch" not in said:
        return ""
    return f"differs: {done.returncode}: {said[-300:]}"
