"""A place in the guest, as evidence names it."""

from __future__ import annotations

from diskwright._values import Struct


class Location(Struct, frozen=True):
    """A place in the guest: `line` counts from 1."""

    file: str
    line: int | None = None

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file
