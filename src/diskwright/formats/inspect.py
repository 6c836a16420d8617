"""The front door of this room, and the register of the formats that are read, a line each."""

from __future__ import annotations

import os
from importlib import import_module

from diskwright._values import replace
from diskwright.errors import ImageRefused
from diskwright.formats.detect import decide, detect, extension_problem
from diskwright.formats.source import ImageSource
from diskwright.formats.support import PACKED
from diskwright.model.image import FileIdentity, ImageFacts, ImageFormat

# The module of this room, and the function in it that reads an ImageSource's ImageFacts. Of all of
# them only the one that is wanted is imported.
READERS: dict[ImageFormat, tuple[str, str]] = {
    ImageFormat.RAW: ("raw", "read_facts"),
    ImageFormat.QCOW2: ("qcow2", "read_facts"),
    ImageFormat.ISO: ("raw", "read_iso_facts"),
    ImageFormat.VMDK: ("vmdk", "read_facts"),
    ImageFormat.VHD: ("vhd", "read_facts"),
    ImageFormat.VHDX: ("vhdx", "read_facts"),
    ImageFormat.VDI: ("vdi", "read_facts"),
    ImageFormat.QCOW: ("qcow1", "read_facts"),
    ImageFormat.QED: ("qed", "read_facts"),
    ImageFormat.PARALLELS: ("parallels", "read_facts"),
}

_BLOCK_BYTES = 512  # the unit of st_blocks, whatever the file system's own


def inspect_image(
    fd: int, identity: FileIdentity, *, requested: ImageFormat | None = None
) -> ImageFacts:
    """What the open file says of itself, its metadata checked whole; its data is not read.

    `requested` chooses among the formats that matched, or raw. Raises ImageUnsafe, ImageBroken,
    ImageUnsupported, InputUnreadable and UsageError.
    """
    found = format_of(fd, identity, requested=requested)
    return read_facts(ImageSource(fd, identity.path, identity.size), found)


def format_of(
    fd: int, identity: FileIdentity, *, requested: ImageFormat | None = None, shown: str = ""
) -> ImageFormat:
    """The format of a whole file, by its content; `shown` is its name in errors.

    Raises ImageUnsafe, ImageBroken, InputUnreadable and UsageError.
    """
    matches = detect(fd, identity.size)
    return decide(shown or identity.path, identity.size, matches, requested=requested)


def read_facts(source: ImageSource, found: ImageFormat, *, named: str = "") -> ImageFacts:
    """What an image of the format `found` says of itself. `named` is the name whose ending tells
    its format, where that is not the file's own. Raises ImageRefused, InputUnreadable.
    """
    reader = READERS.get(found)
    if reader is None:
        raise _not_read(source, found)
    module, function = reader
    facts: ImageFacts = getattr(import_module(f"diskwright.formats.{module}"), function)(source)
    differs = extension_problem(named or source.path, found)
    return replace(
        facts,
        allocated=allocated(source.fd),
        problems=facts.problems if differs is None else (*facts.problems, differs),
    )


def allocated(fd: int) -> int:
    """How many bytes the open file takes on its disk."""
    return os.fstat(fd).st_blocks * _BLOCK_BYTES


def _not_read(source: ImageSource, found: ImageFormat) -> ImageRefused:
    if found is ImageFormat.LUKS:
        from diskwright.formats import luks

        return luks.refusal(source)
    if found not in PACKED and found not in (ImageFormat.ZIP, ImageFormat.TAR):
        detail = f"its format is {found.value}, which is not read"
        if found is ImageFormat.OVA:
            detail = "it is a package, and no disk itself"
        return source.unsupported("format-unsupported", detail)
    refusal = source.unsupported(
        "compressed-container", f"its format is {found.value}: packed, and no disk image itself"
    )
    refusal.hint_text = f"unpack it first; {refusal.hint_text}"
    return refusal
