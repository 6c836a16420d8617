"""cpio archives of the newc form, made by hand, for tests that need no tool."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

FILE, DIRECTORY = 0o100644, 0o040755


def archive(files: Mapping[str, bytes], *, trailer: bool = True) -> bytes:
    """Files with their folders before them, as `find | cpio -o -H newc` writes them."""
    made = [entry(folder, b"", mode=DIRECTORY) for folder in _folders(files)]
    made += [entry(name, content) for name, content in files.items()]
    if trailer:
        made.append(entry("TRAILER!!!", b"", mode=0))
    return b"".join(made)


def entry(name: str, content: bytes, *, mode: int = FILE, size: int | None = None) -> bytes:
    raw = name.encode() + b"\0"
    fields = [1, mode, 0, 0, 1, 0, len(content) if size is None else size, 0, 0, 0, 0, len(raw), 0]
    header = b"070701" + b"".join(b"%08X" % field for field in fields)
    return _pad(header + raw) + _pad(content)


def _pad(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def _folders(files: Iterable[str]) -> list[str]:
    found: dict[str, None] = {}
    for name in files:
        parts = name.split("/")[:-1]
        for depth in range(1, len(parts) + 1):
            found["/".join(parts[:depth])] = None
    return list(found)
