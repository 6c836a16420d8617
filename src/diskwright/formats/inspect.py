"""The front door of this room, and the register of the formats that are read, a line each."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace

from diskwright.errors import ImageRefused
from diskwright.formats import qcow2, raw
from diskwright.formats.detect import decide, detect, extension_problem
from diskwright.formats.source import ImageSource
from diskwright.model.image import FileIdentity, ImageFacts, ImageFormat

READERS: dict[ImageFormat, Callable[[ImageSource], ImageFacts]] = {
    ImageFormat.RAW: raw.read_facts,
    ImageFormat.QCOW2: qcow2.read_facts,
}

_COMPRESSED = frozenset(
    {
        ImageFormat.GZIP,
        ImageFormat.ZSTD,
        ImageFormat.XZ,
        ImageFormat.BZIP2,
        ImageFormat.ZIP,
    }
)
_BLOCK_BYTES = 512  # the unit of st_blocks, whatever the file system's own


def inspect_image(
    fd: int, identity: FileIdentity, *, requested: ImageFormat | None = None
) -> ImageFacts:
    """What the open file says of itself, its metadata checked whole; its data is not read.

    `requested` chooses among the formats that matched, or raw. Raises ImageUnsafe, ImageBroken,
    ImageUnsupported, InputUnreadable and UsageError.
    """
    source = ImageSource(fd, identity.path, identity.size)
    found = decide(identity.path, identity.size, detect(fd, identity.size), requested=requested)
    reader = READERS.get(found)
    if reader is None:
        raise _not_read(source, found)
    facts = reader(source)
    differs = extension_problem(identity.path, found)
    return replace(
        facts,
        allocated=os.fstat(fd).st_blocks * _BLOCK_BYTES,
        problems=facts.problems if differs is None else (*facts.problems, differs),
    )


def _not_read(source: ImageSource, found: ImageFormat) -> ImageRefused:
    if found not in _COMPRESSED:
        detail = f"its format is {found.value}, which is not read"
        return source.unsupported("format-unsupported", detail)
    refusal = source.unsupported(
        "compressed-container", f"its format is {found.value}: packed, and no disk image itself"
    )
    refusal.hint_text = f"unpack it first; {refusal.hint_text}"
    return refusal
