"""The confined child that reads one ISO: `diskwright._confine` calls `main` when no file can be
opened any more. Its answer is one JSON document on stdout; it has no other way to say anything.
"""

from __future__ import annotations

import os

from diskwright.errors import DiskwrightError, ImageRefused
from diskwright.formats.iso.answer import ENTRIES, IsoAnswer, Refused, Told, packed
from diskwright.formats.iso.image import Iso
from diskwright.formats.limits import ISO_ANSWER_BYTES
from diskwright.formats.source import ImageSource
from diskwright.model.iso import IsoTree


def preload() -> None:
    """Import what is imported late: afterwards no module can be opened."""
    "\ufffd".encode("utf-16-be").decode("utf-16-be")
    b"\xff".decode("latin-1")


def main(fd: int, size: int, asked: str, tree: str) -> int:
    """Read the file `fd` of `size` bytes. `tree` is empty for the one that is preferred."""
    document = packed(answer(fd, size, asked, tree))
    if len(document) > ISO_ANSWER_BYTES:
        document = packed(_refused("too-large", "its list is longer than any honest one"))
    view = memoryview(document)
    while view:
        view = view[os.write(1, view) :]
    return 0


def answer(fd: int, size: int, asked: str, tree: str) -> Told:
    """What is asked for, or why it can't be had; whatever is in the file."""
    try:
        iso = Iso(ImageSource(fd, "", size))
        if asked != ENTRIES:
            return Told(IsoAnswer(iso.facts()))
        wanted = IsoTree(tree) if tree else iso.facts().tree
        if wanted not in iso.trees():
            return Told(IsoAnswer(trees=iso.trees()))
        return Told(IsoAnswer(tree=wanted), tuple(iso.entries(wanted)))
    except ImageRefused as refusal:
        said = Refused(refusal.kind, refusal.code, refusal.detail, refusal.offset)
        return Told(IsoAnswer(refused=said))
    except DiskwrightError as error:
        return _refused("unreadable", error.message)
    except MemoryError:
        return _refused("too-large", "it takes more memory than any honest one")
    except Exception as error:  # noqa: BLE001 - the edge: a bug here is the file's loss alone
        return _refused("unreadable", f"the reader failed: {type(error).__name__}: {error}")


def _refused(code: str, detail: str) -> Told:
    return Told(IsoAnswer(refused=Refused("broken", code, detail)))
