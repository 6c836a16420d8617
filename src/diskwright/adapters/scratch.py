"""Room for what a verb needs as local files for a while, in the state folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from diskwright.blockio.own_folder import OwnFolder, sweep
from diskwright.errors import writing

PREFIX = "staged-"


@contextmanager
def scratch_folder(state_dir: str) -> Iterator[str]:
    """An empty folder of mode 0700 in that one, gone when the context is left. What killed runs
    left there goes first. Raises OutputNotWritable, DiskFull."""
    with writing(state_dir):
        os.makedirs(state_dir, mode=0o700, exist_ok=True)
        sweep(state_dir, PREFIX)
        folder = OwnFolder.make(state_dir, PREFIX, shown=state_dir)
    try:
        yield folder.path
    finally:
        folder.remove()
