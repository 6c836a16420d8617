"""An ISO read in this process as the confined child reads it, and a folder that is watched."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from diskwright.adapters.iso_child import ConfinedIsoReader, understood
from diskwright.formats.iso import child as iso_child
from diskwright.formats.iso.answer import Told, packed
from diskwright.formats.iso.image import Iso
from diskwright.formats.source import ImageSource
from diskwright.model.image import FileIdentity
from diskwright.model.iso import IsoEntry, IsoFacts, IsoTree


@contextmanager
def opened(data: bytes | Path) -> Iterator[Iso]:
    fd = os.open(data, os.O_RDONLY) if isinstance(data, Path) else os.memfd_create("iso")
    try:
        if isinstance(data, bytes):
            os.write(fd, data)
        yield Iso(ImageSource(fd, "the.iso", os.fstat(fd).st_size))
    finally:
        os.close(fd)


def facts(data: bytes | Path) -> IsoFacts:
    with opened(data) as disc:
        return disc.facts()


def entries(data: bytes | Path, tree: IsoTree | None = None) -> dict[str, IsoEntry]:
    with opened(data) as disc:
        return {entry.path: entry for entry in disc.entries(tree or disc.facts().tree)}


class ReaderHere(ConfinedIsoReader):
    """The child's answer without a child: hundreds of files in a second."""

    def _ask(self, fd: int, identity: FileIdentity, asked: str, tree: IsoTree | None) -> Told:
        told = iso_child.answer(fd, identity.size, asked, tree.value if tree else "")
        return self.judged(understood(packed(told)), identity)


def snapshot(folder: Path, *, but: Path | None = None) -> dict[str, tuple[object, ...]]:
    """Everything below a folder but one place: kind, mode, size, time, contents."""
    found: dict[str, tuple[object, ...]] = {}
    for path in sorted(folder.rglob("*")):
        if but is not None and (path == but or but in path.parents):
            continue
        status = path.lstat()
        if path.is_symlink():
            said = os.readlink(path)
        elif path.is_file():
            said = hashlib.sha256(path.read_bytes()).hexdigest()
        else:
            said = ""
        time = 0 if path.is_dir() and but is not None and but.parent == path else status.st_mtime_ns
        found[str(path.relative_to(folder))] = (status.st_mode, status.st_size, time, said)
    return found
