"""Files of the osinfo database, which may lack or be damaged."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET

FILE_LIMIT = 1 << 20  # the largest file of the database has 170 KiB
_DIGITS_LIMIT = 19


def read_text(path: str) -> str:
    """Empty where the file is missing or too large."""
    return _read(path).decode("utf-8", "replace")


def parse(path: str) -> list[ET.Element]:
    """The `os` elements of a file; none where it is missing, too large or no plain XML.

    A document type is refused: it is how XML names other files and grows without bound.
    """
    data = _read(path)
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        return []
    import xml.etree.ElementTree as ET

    try:
        root = ET.fromstring(data)  # noqa: S314 - no document type, bounded size
    except ET.ParseError:
        return []
    return list(root.iterfind("os"))


def size_of(text: str | None) -> int | None:
    """A number of bytes; None for anything else."""
    said = (text or "").strip()
    if said.isascii() and said.isdigit() and len(said) < _DIGITS_LIMIT:
        return int(said)
    return None


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            data = file.read(FILE_LIMIT + 1)
    except OSError:
        return b""
    return data if len(data) <= FILE_LIMIT else b""
