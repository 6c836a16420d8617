"""What a reader of guests imports late, when the process is confined: what most disks do not need,
and what can be imported while an initramfs is unpacked."""

from __future__ import annotations

import codecs
import sys
from importlib import import_module
from importlib.util import find_spec, module_from_spec

from diskwright._held import hold

_FAT_AND_NTFS = ("", "._names", "._time", ".fat", ".ntfs")
_HELD = (
    *("diskwright.guest.*", "Registry.*"),
    *("fs_explorer.codecs.*", "fs_explorer.io.*", "fs_explorer.filesystems.btrfs.*"),
    *(f"fs_explorer.{name}" for name in ("entry", "errors", "modebits", "tree")),
    *(f"fs_explorer.filesystems{name}" for name in _FAT_AND_NTFS),
)
# Of what those import; a test compares
_OTHERS = (
    *("binascii", "contextvars", "copy", "ctypes.util", "dataclasses", "hashlib", "unicodedata"),
)
_CODECS = ("ascii", "cp437", "utf-8", "utf-16-be", "utf-16-le", "windows-1252")


def preload() -> None:
    """Afterwards nothing of it needs a file."""
    _without_interface()
    hold(*_HELD)
    for module in _OTHERS:
        import_module(module)
    for codec in _CODECS:
        codecs.lookup(codec)


def _without_interface() -> None:
    """What the package itself imports is for its users, takes a third of the time, and nothing of
    it is used here: the package is there, and is not run."""
    if "fs_explorer" not in sys.modules and (spec := find_spec("fs_explorer")):
        sys.modules["fs_explorer"] = module_from_spec(spec)
