"""The confined child that reads one ISO: `diskwright._confine` calls `main` when no file can be
opened any more. Its answer is one JSON document on stdout; it has no other way to say anything.
"""

from __future__ import annotations

import json
import os

from diskwright.errors import DiskwrightError, ImageRefused
from diskwright.formats.iso import Iso
from diskwright.formats.iso_answer import ENTRIES, MAX_ANSWER, IsoAnswer, Refused
from diskwright.formats.source import ImageSource
from diskwright.model.codec import encode
from diskwright.model.iso import IsoTree


def preload() -> None:
    """Import what is imported late: afterwards no module can be opened."""
    "\ufffd".encode("utf-16-be").decode("utf-16-be")
    b"\xff".decode("latin-1")


def main(fd: int, size: int, asked: str, tree: str) -> int:
    """Read the file `fd` of `size` bytes. `tree` is empty for the one that is preferred."""
    document = _document(_answer(fd, size, asked, tree))
    if len(document) > MAX_ANSWER:
        document = _document(_refused("too-large", "its list is longer than any honest one"))
    view = memoryview(document)
    while view:
        view = view[os.write(1, view) :]
    return 0


def _answer(fd: int, size: int, asked: str, tree: str) -> IsoAnswer:
    try:
        iso = Iso(ImageSource(fd, "", size))
        if asked != ENTRIES:
            return IsoAnswer(iso.facts())
        wanted = IsoTree(tree) if tree else iso.facts().tree
        if wanted not in iso.trees():
            return IsoAnswer(None, None, iso.trees())
        return IsoAnswer(None, wanted, iso.trees(), tuple(iso.entries(wanted)))
    except ImageRefused as refusal:
        return IsoAnswer(
            refused=Refused(refusal.kind, refusal.code, refusal.detail, refusal.offset)
        )
    except DiskwrightError as error:
        return _refused("unreadable", error.message)
    except MemoryError:
        return _refused("too-large", "it takes more memory than any honest one")
    except Exception as error:  # noqa: BLE001 - the edge: a bug here is the file's loss alone
        return _refused("unreadable", f"the reader failed: {type(error).__name__}: {error}")


def _refused(code: str, detail: str) -> IsoAnswer:
    return IsoAnswer(refused=Refused("broken", code, detail))


def _document(answer: IsoAnswer) -> bytes:
    return json.dumps(encode(answer), separators=(",", ":")).encode()
