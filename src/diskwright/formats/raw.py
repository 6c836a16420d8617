"""A raw disk, or an ISO read as one: the file's bytes are the guest's."""

from __future__ import annotations

from diskwright._values import replace
from diskwright.formats.source import ImageSource
from diskwright.model.image import ImageFacts, ImageFormat, Problem
from diskwright.model.units import SECTOR, round_up


def read_facts(source: ImageSource) -> ImageFacts:
    """The virtual size is the file's, rounded up to 512 with zeros (Problem `size-unaligned`)."""
    virtual_size = round_up(source.size, SECTOR)
    problems: tuple[Problem, ...] = ()
    if virtual_size != source.size:
        detail = (
            f"{source.size} bytes are no multiple of {SECTOR}: "
            f"the last {virtual_size - source.size} of the disk are zeros"
        )
        problems = (Problem("size-unaligned", detail),)
    return ImageFacts(
        format=ImageFormat.RAW,
        virtual_size=virtual_size,
        file_size=source.size,
        exact_size=source.size,
        problems=problems,
    )


def read_iso_facts(source: ImageSource) -> ImageFacts:
    """Of an ISO as a disk; what is in it is read by `iso`, in a confined child."""
    return replace(read_facts(source), format=ImageFormat.ISO)
