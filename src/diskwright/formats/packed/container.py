"""Packed images: how much may come out of one, what may be in it, and how that is called."""

from __future__ import annotations

import os

from diskwright.errors import ImageUnsupported
from diskwright.formats import limits
from diskwright.formats.detect import FormatMatch, decide, detect
from diskwright.formats.signatures import EXTENSIONS, TAR_MAGIC, TAR_MAGIC_OFFSET
from diskwright.formats.source import ImageSource
from diskwright.formats.support import PACKED
from diskwright.model.image import FileIdentity, ImageFormat

CODE = "compressed-container"
BROKEN_CODES = frozenset({"truncated", "compressed-data", "checksum", "trailing-data"})

_MOST_SECONDS = (1 << 31) - 1  # what any system takes as a limit
_HOLD_OTHERS = PACKED | {ImageFormat.ZIP, ImageFormat.OVA}


def unpacked_limit(packed_size: int) -> int:
    """The most bytes that come out of so many, where nobody said how much may."""
    return max(limits.UNPACKED_BYTES, limits.UNPACKED_RATIO * packed_size)


def processor_seconds(packed_size: int, limit: int) -> int:
    """The most that unpacking may take, on a slow machine, with `limit` bytes coming out."""
    seconds = (
        limits.UNPACK_S
        + packed_size // limits.UNPACK_PACKED_PER_S
        + limit // limits.UNPACK_CONTENT_PER_S
    )
    return min(seconds, _MOST_SECONDS)


def packing_of(matches: tuple[FormatMatch, ...]) -> ImageFormat | None:
    """How a file with these signs is packed; None where it is not, or could be something else."""
    found = {match.format for match in matches}
    only = found.pop() if len(found) == 1 else None
    return only if only in PACKED else None


def format_inside(
    fd: int,
    content: FileIdentity,
    packing: ImageFormat,
    *,
    shown: str,
    requested: ImageFormat | None = None,
) -> ImageFormat:
    """The format of what was unpacked into the file `fd`: one image, and nothing that holds others.

    Raises as `format_of`, and ImageUnsupported (`compressed-container`).
    """
    found = decide(shown, content.size, detect(fd, content.size), requested=requested)
    inside = found.value if found in _HOLD_OTHERS else None
    if inside is None and _is_tar(fd, content):
        inside = "tar"
    if inside is not None:
        detail = f"it is packed by {packing.value}, and what is in it is packed again: {inside}"
        hint = "unpack it yourself, and name the image that is in it"
        raise ImageUnsupported(shown, CODE, detail, hint_text=hint)
    return found


def _is_tar(fd: int, content: FileIdentity) -> bool:
    head = ImageSource(fd, "", content.size).read_up_to(0, TAR_MAGIC_OFFSET + len(TAR_MAGIC))
    return head.endswith(TAR_MAGIC)


def name_inside(path: str) -> str:
    """`path` without the ending that tells of packing: disk.raw of disk.raw.gz."""
    stem, ending = os.path.splitext(path)
    return stem if EXTENSIONS.get(ending.lower()) in PACKED else path
