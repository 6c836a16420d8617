"""The name of a differencing VHD's parent, from a header that nobody has judged."""

from __future__ import annotations

from diskwright.formats import limits
from diskwright.formats.source import ImageSource
from diskwright.formats.vhd import layout


def parent_name(source: ImageSource, at: int) -> str:
    """What the first locator says, else the header at byte `at`; empty where neither can be had."""
    if at + layout.DYNAMIC_BYTES > source.size:
        return ""
    header = layout.decode_dynamic(source.read(at, layout.DYNAMIC_BYTES))
    for locator in header.locators:
        encoding = layout.LOCATOR_ENCODINGS.get(locator.code)
        in_file = locator.offset + locator.length <= source.size
        if encoding and in_file and 0 < locator.length <= limits.VHD_PARENT_NAME_BYTES:
            name = source.read(locator.offset, locator.length)
            return name.decode(encoding, "replace").rstrip("\0")
    return header.parent
