"""A good file, and where it hurts."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

Places = tuple[tuple[int, int], ...]
Repair = Callable[[bytes], bytes]
Rename = Callable[[bytes, bytes, random.Random], bytes]


@dataclass(frozen=True)
class Seed:
    """`hot`: where headers and tables stand. `repair` puts checksums right after a change.

    `rename` puts another name where the file names one. `above` is a good file that names the
    mutant (`beside.MUTANT`): that one is opened then. `textual`: with a text in its metadata.
    """

    data: bytes
    hot: Places
    repair: Repair | None = None
    rename: Rename | None = None
    above: bytes | None = None
    textual: bool = False
