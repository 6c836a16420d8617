"""What every verb that reads an image file can be told about it."""

from __future__ import annotations

from typing import TypedDict

from diskwright.model.image import ImageFormat


class InputOptions(TypedDict, total=False):
    """`input_format` chooses among the formats that the file matches, or raw. Files that the image
    names are followed beneath the folder `allow_backing_under` only. What is packed is unpacked to
    at most `max_unpacked` bytes; by itself the limit follows from the packed size. `disk` is the
    number of a disk in a package, from 1.
    """

    input_format: ImageFormat | None
    allow_backing_under: str | None
    max_unpacked: int | None
    disk: int | None
