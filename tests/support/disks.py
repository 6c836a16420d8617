"""Disks for tests, and what they hold."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from diskwright.model.stored import Chunk
from diskwright.ports import BlockReader


def contents(reader: BlockReader) -> bytes:
    """All bytes of a small disk."""
    buffer = bytearray(reader.size)
    reader.read_into(0, memoryview(buffer))
    return bytes(buffer)


def assemble(chunks: Iterable[Chunk]) -> bytes:
    """The file that chunks make: gaps are zeros, an empty chunk makes it longer."""
    out = bytearray()
    for chunk in chunks:
        end = chunk.offset + len(chunk.data)
        out.extend(bytes(max(0, end - len(out))))
        out[chunk.offset : end] = chunk.data
    return bytes(out)


def copy_threads() -> list[str]:
    """Names of the copying threads that are alive."""
    return [t.name for t in threading.enumerate() if t.name.startswith("diskwright-copy")]
