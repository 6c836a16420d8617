"""Image files below a folder that a person named, by the endings of their names."""

from __future__ import annotations

import os
import re

from diskwright.errors import FolderWithoutImages, InputUnreadable
from diskwright.formats.signatures import EXTENSIONS
from diskwright.formats.support import PACKED
from diskwright.model.image import ImageFormat

MOST_ENTRIES = 100_000
MOST_DEPTH = 32

# Not by themselves an image of a disk: media, archives, and a description without its disks.
_OTHERS = PACKED | {ImageFormat.ISO, ImageFormat.ZIP, ImageFormat.TAR}
DISK_ENDINGS = frozenset(
    {".img", *(name for name, kind in EXTENSIONS.items() if kind not in _OTHERS)} - {".ovf"}
)
PACKED_ENDINGS = frozenset(name for name, kind in EXTENSIONS.items() if kind in PACKED)

# A VMDK's extents, as VMware names them beside the file that names them
_EXTENT = re.compile(r"-(flat|delta|[sf]\d{3})\.vmdk", re.IGNORECASE)


def is_image_name(name: str) -> bool:
    """`disk.qcow2` and `disk.raw.xz` are, `notes.txt.xz` and `disk-flat.vmdk` are not."""
    stem, ending = os.path.splitext(name.lower())
    if ending in PACKED_ENDINGS:
        stem, ending = os.path.splitext(stem)
    return bool(stem) and ending in DISK_ENDINGS and _EXTENT.search(name) is None


def images_below(folder: str) -> tuple[str, ...]:
    """Paths that begin with `folder` as it is given, sorted by their names in it.

    Links are not followed, and what is no regular file is left out, as `grep -r` does. Raises
    FolderWithoutImages, InputUnreadable: also where it is too large to be looked through.
    """
    found: list[str] = []
    waiting = [(folder, 0)]
    seen = 0
    while waiting:
        path, depth = waiting.pop()
        try:
            with os.scandir(path) as entries:
                for entry in entries:
                    seen += 1
                    if seen > MOST_ENTRIES:
                        raise InputUnreadable(folder, f"it holds more than {MOST_ENTRIES} names")
                    if entry.is_dir(follow_symlinks=False):
                        if depth == MOST_DEPTH:
                            raise InputUnreadable(entry.path, f"{MOST_DEPTH} folders lie above it")
                        waiting.append((entry.path, depth + 1))
                    elif entry.is_file(follow_symlinks=False) and is_image_name(entry.name):
                        found.append(entry.path)
        except OSError as error:
            raise InputUnreadable(path, error.strerror or str(error)) from error
    if not found:
        raise FolderWithoutImages(folder)
    return tuple(sorted(found, key=lambda path: path.split(os.sep)))
