"""How qemu's tools are told which file and format, and what their words mean.

Sources: "Image options" and the block drivers' options in qemu(1); block/file-posix.c for words.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from diskwright.errors import (
    DiskwrightError,
    ImageBroken,
    ImageUnsafe,
    ImageUnsupported,
    Locked,
    ToolFailed,
)
from diskwright.model.image import DiskFile, ImageFormat

DRIVERS = {
    ImageFormat.RAW: "raw",
    ImageFormat.QCOW2: "qcow2",
    ImageFormat.QCOW: "qcow",
    ImageFormat.VMDK: "vmdk",
    ImageFormat.VHD: "vpc",
    ImageFormat.VHDX: "vhdx",
    ImageFormat.VDI: "vdi",
    ImageFormat.QED: "qed",
    ImageFormat.PARALLELS: "parallels",
    ImageFormat.ISO: "raw",  # a disk without structure, as far as its bytes go
}

_OPENING = re.compile(r"(?:Failed to blk_new_open|Could not open) 'driver=.*?': ", re.DOTALL)


def driver_of(image_format: ImageFormat, path: str) -> str:
    """qemu's name of a format. Raises ImageUnsupported where it has none."""
    if image_format not in DRIVERS:
        raise ImageUnsupported(path, "format-unsupported", f"{image_format} has no qemu driver")
    return DRIVERS[image_format]


def format_of_driver(name: str) -> ImageFormat | None:
    """The format behind qemu's name of it, as a header spells it; None where we know none."""
    return next((known for known, driver in DRIVERS.items() if driver == name), None)


def is_local(disk: DiskFile) -> bool:
    """Whether the file's bytes are the disk's, so that no tool is needed to read it."""
    whole = not disk.offset and disk.length is None
    return whole and disk.format in (ImageFormat.RAW, ImageFormat.ISO)


def open_files(disk: DiskFile) -> int:
    """How many descriptors a tool may have: what it needs for itself, and for each file twice."""
    return 256 + 2 * sum(1 for _ in disk.files())


def image_options(disk: DiskFile) -> str:
    """The value of `--image-opts`: these files in these formats, whatever their names look like.

    Never a bare name: qemu takes `fat:/etc`, `nbd:host` and `json:{}` for more than file names.
    """
    return ",".join(f"{name}={value.replace(',', ',,')}" for name, value in _options(disk, ""))


def _options(disk: DiskFile, prefix: str) -> Iterator[tuple[str, str]]:
    path = disk.identity.path
    if not os.path.isabs(path):
        raise ValueError(f"{path!r} is not absolute")
    yield f"{prefix}driver", driver_of(disk.format, path)
    if disk.vhd_size is not None:
        yield f"{prefix}force_size_calc", disk.vhd_size.value
    file = f"{prefix}file."
    if disk.offset or disk.length is not None:
        yield f"{file}driver", "raw"
        yield f"{file}offset", str(disk.offset)
        if disk.length is not None:
            yield f"{file}size", str(disk.length)
        file += "file."
    yield f"{file}driver", "file"
    yield f"{file}filename", path
    if disk.backing is not None:
        yield from _options(disk.backing, f"{prefix}backing.")


def meaning(tool: str, said: str, path: str) -> DiskwrightError:
    """The error behind what a confined `tool` said on stderr about the image `path`."""
    said = said.removeprefix(f"{tool}: ")
    opening = _OPENING.match(said)  # the options in it hold the path, which may hold anything
    line = next(iter((said[opening.end() :] if opening else said).splitlines()), "")
    if "Failed to get" in line and "lock" in line:
        return Locked(path)
    # Where the confinement shows nothing else, what lies outside is not there
    absent = "No such file or directory" in line and f"'{path}'" not in line
    if absent or "Permission denied" in line or "Operation not permitted" in line:
        return ImageUnsafe(path, "reference-outside", f"qemu was led outside of it: {line}")
    if opening or "Could not open" in line or "error while reading" in line:
        return ImageBroken(path, "unreadable", line)
    return ToolFailed(tool, line or "it said nothing")


def version_in(tool: str, said: str) -> str:
    """The version in what `--version` prints. Raises ToolFailed where there is none."""
    match = re.search(r"version (\d+(?:\.\d+)+)|" + re.escape(tool) + r" (\d+(?:\.\d+)+)", said)
    if match is None:
        raise ToolFailed(tool, "it does not tell its version")
    return match[1] or match[2]
