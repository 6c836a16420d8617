"""What tests of uploads share: small parts, a manifest, and a look for leftovers."""

from __future__ import annotations

import json
import os
from pathlib import Path

from diskwright.errors import Cancelled
from diskwright.model.manifest import Manifest
from diskwright.model.stored import Chunk, Layout, StoredObject

IMAGE = "01890a5d-ac96-774b-bcce-b302099a8057"
OTHER = "01890a5d-ac96-774b-bcce-b302099a8058"
KEY = f"images/{IMAGE}/disk-0.raw"


class SmallLayout(Layout, frozen=True):
    """A layout with parts of a size that no writer would plan."""

    wanted_part_size: int = 0

    @property
    def part_size(self) -> int:
        return self.wanted_part_size


def layout(part_size: int) -> Layout:
    return SmallLayout("raw", 1 << 30, 1 << 30, 1 << 30, wanted_part_size=part_size)


def manifest(*objects: StoredObject, private: str = "AAAA", image: str = IMAGE) -> Manifest:
    """A sealed one, as it needs no facts."""
    return Manifest(image, "2026-01-01T00:00:00Z", objects, seal=OTHER, private=private)


class CancelAt:
    """Asked to stop at the n-th look; counts them."""

    def __init__(self, number: int | None) -> None:
        self.number = number
        self.looks = 0

    def check(self) -> None:
        self.looks += 1
        if self.number is not None and self.looks >= self.number:
            raise Cancelled


def assembled(chunks: list[Chunk]) -> bytes:
    """The same chunks in memory: what the object must be."""
    size = max((chunk.offset + len(chunk.data) for chunk in chunks), default=0)
    data = bytearray(size)
    for chunk in chunks:
        data[chunk.offset : chunk.offset + len(chunk.data)] = chunk.data
    return bytes(data)


def files_under(*folders: str) -> list[str]:
    return sorted(
        os.path.join(where, name)
        for top in folders
        for where, _, names in os.walk(top)
        for name in names
    )


def journaled(state_folder: Path, image: str = IMAGE) -> list[dict]:
    """The events in the entry of `image`."""
    lines = (state_folder / "uploads" / f"{image}.json").read_bytes().splitlines()
    return [json.loads(line) for line in lines[1:]]
