"""A library as a workstation has it: a store that may be shared, a catalog of its own."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from diskwright.adapters.catalog import SqliteCatalog
from diskwright.adapters.image_locks import FileImageLocks
from diskwright.errors import TargetExists
from diskwright.ops.library.place import Place, make_library, read_library


class Clock:
    """Seconds since 1970 that go on when they are told to."""

    def __init__(self, now: float = 1_795_000_000) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def workstation(store, folder: Path, *, who: str = "ann@here", key=None, clock=None) -> Place:
    """The library in `store`, made where there is none yet."""
    clock = clock or Clock()
    with suppress(TargetExists):  # another workstation made it
        make_library(store, public=False, now=clock(), entropy=os.urandom)
    return Place(
        info=read_library(store),
        store=store,
        catalog=SqliteCatalog.open(str(folder / f"{who}.sqlite")),
        locks=FileImageLocks(str(folder / f"{who}.locks")),
        wrapper=key,
        who=who,
        now=clock,
        entropy=os.urandom,
    )
