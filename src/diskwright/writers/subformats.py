"""The variants of a format that are written, and how large a disk each format holds."""

from __future__ import annotations

from diskwright.errors import UsageError
from diskwright.formats.vhd import layout as vhd_layout
from diskwright.formats.vhdx import layout as vhdx_layout
from diskwright.model.image import ImageFormat
from diskwright.model.units import TIB, format_size

# As qemu-img names them; the first is made where nobody says which.
SUBFORMATS: dict[ImageFormat, tuple[str, ...]] = {
    ImageFormat.VHD: ("dynamic", "fixed"),
    ImageFormat.VMDK: ("streamOptimized", "monolithicSparse"),
    ImageFormat.VHDX: ("dynamic", "fixed"),
    ImageFormat.VDI: ("dynamic", "static"),
}

# Each keeps any multiple of 512 bytes exactly. What is larger could not be read everywhere, or not
# by us again.
LARGEST: dict[ImageFormat, int] = {
    ImageFormat.QCOW2: 64 * TIB,  # of L1 tables of 32 MiB, with clusters of 64 KiB
    ImageFormat.VHD: vhd_layout.SIZE_MAX,
    ImageFormat.VHDX: vhdx_layout.SIZE_MAX,
    ImageFormat.VMDK: 2 * TIB,  # grain tables name 2^32 sectors of the file
    ImageFormat.VDI: 2 * TIB,  # of VirtualBox
    ImageFormat.QED: 64 * TIB,
}


def subformat_of(image_format: ImageFormat, wanted: str | None = None) -> str:
    """The variant to write, empty where a format has but one. Raises UsageError."""
    known = SUBFORMATS.get(image_format, ())
    if wanted is None:
        return known[0] if known else ""
    if wanted in known:
        return wanted
    if not known:
        having = ", ".join(sorted(f.value for f in SUBFORMATS))
        raise UsageError(
            f"{image_format.value} has no subformats", f"leave --subformat out; {having} have some"
        )
    raise UsageError(
        f"{image_format.value} has no subformat {wanted!r}",
        "there is " + " and ".join(f"--subformat {name}" for name in known),
    )


def check_size(image_format: ImageFormat, virtual_size: int) -> None:
    """Raises UsageError where the format can't hold such a disk."""
    largest = LARGEST.get(image_format)
    if largest is not None and virtual_size > largest:
        raise UsageError(
            f"a disk of {virtual_size} bytes is too large for {image_format.value}, which holds "
            f"{format_size(largest)}",
            "choose another format: -O raw or -O qcow2",
        )
