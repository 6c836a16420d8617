"""A virtual disk to a file format in one forward pass, behind `ports.FormatWriter`."""

from __future__ import annotations

from diskwright.errors import UsageError
from diskwright.model.image import ImageFormat
from diskwright.ports import FormatWriter
from diskwright.writers.qcow2 import Qcow2Writer
from diskwright.writers.raw import RawWriter
from diskwright.writers.subformats import check_size
from diskwright.writers.vhd import FixedVhdWriter

# What is written here, of VHD the fixed one; ports.ImageConverter makes the other formats.
FORWARD = frozenset({ImageFormat.RAW, ImageFormat.QCOW2, ImageFormat.VHD})
COMPRESSING = frozenset({ImageFormat.QCOW2})


def is_forward(image_format: ImageFormat, subformat: str) -> bool:
    """Whether that variant of a format is written here, in one forward pass."""
    if image_format is ImageFormat.VHD:
        return subformat == "fixed"
    return image_format in FORWARD


def writer_for(
    image_format: ImageFormat, *, virtual_size: int, compressed: bool, threads: int
) -> FormatWriter:
    """The writer of a format in `FORWARD`. Raises UsageError where it can't compress, or holds no
    disk of that size.

    `threads` read, hash and compress at once.
    """
    if compressed and image_format not in COMPRESSING:
        raise UsageError(
            f"{image_format} has no compressed form",
            f"leave --compress out, or choose -O {min(COMPRESSING)}",
        )
    check_size(image_format, virtual_size)
    if image_format is ImageFormat.RAW:
        return RawWriter(virtual_size=virtual_size, threads=threads)
    if image_format is ImageFormat.QCOW2:
        return Qcow2Writer(virtual_size=virtual_size, compressed=compressed, threads=threads)
    if image_format is ImageFormat.VHD:
        return FixedVhdWriter(virtual_size=virtual_size, threads=threads)
    raise UsageError(f"{image_format} is not written in one forward pass")
