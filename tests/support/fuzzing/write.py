"""A file of given bytes, with holes where they are zeros."""

from __future__ import annotations

from pathlib import Path

_UNIT = 1 << 16
_ZEROS = bytes(_UNIT)


def write_sparse(path: Path, data: bytes) -> None:
    view = memoryview(data)
    with path.open("wb") as out:
        for at in range(0, len(data), _UNIT):
            piece = view[at : at + _UNIT]
            if piece != _ZEROS[: len(piece)]:
                out.seek(at)
                out.write(piece)
        out.truncate(len(data))
