"""The confined child that unpacks one file: `diskwright._confine` calls `main` when no file can be
opened any more. What it unpacks goes to stdout, why it stops short to stderr.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator

from diskwright.formats.packed.answer import REFUSED, UNREADABLE
from diskwright.formats.packed.feed import Feed
from diskwright.formats.packed.members import Unpackable, content
from diskwright.model.image import ImageFormat

# Small: where a file holds many small members, what follows one is copied for the next.
_PIECE = 64 << 10


def preload() -> None:
    """All that is used is imported with this module."""


def main(fd: int, size: int, packing: str) -> int:
    """Unpack the first `size` bytes of the file `fd`, from its position on, which moves along."""
    try:
        for block in content(ImageFormat(packing), Feed(_pieces(fd, size))):
            view = memoryview(block)
            while view:
                view = view[os.write(1, view) :]
    except Unpackable as why:
        sys.stderr.write(json.dumps([why.code, why.detail, why.offset]))
        return REFUSED
    except _ReadError as error:
        sys.stderr.write(str(error))
        return UNREADABLE
    return 0


class _ReadError(Exception):
    pass


def _pieces(fd: int, size: int) -> Iterator[bytes]:
    while size:
        try:
            piece = os.read(fd, min(_PIECE, size))
        except OSError as error:
            raise _ReadError(error.strerror or str(error)) from error
        if not piece:
            return
        size -= len(piece)
        yield piece
