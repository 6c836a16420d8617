"""A stretch of a virtual disk and what is known of its bytes."""

from __future__ import annotations

from enum import StrEnum

from diskwright._values import Struct


class ExtentKind(StrEnum):
    DATA = "data"  # bytes have to be read
    ZERO = "zero"  # stored, and reads as zeros
    HOLE = "hole"  # not stored, and reads as zeros


class Extent(Struct, frozen=True):
    """`[start, start + length)` in bytes of the virtual disk; `length` is over 0."""

    start: int
    length: int
    kind: ExtentKind

    @property
    def end(self) -> int:
        return self.start + self.length

    @property
    def is_data(self) -> bool:
        return self.kind is ExtentKind.DATA
