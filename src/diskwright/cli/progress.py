"""Progress on stderr: phase, bytes, rate and time left; silent where nobody watches."""

from __future__ import annotations

import os
import sys
from typing import Any

_ROWS = 24  # more bars than one are never shown
_COLUMNS = 80


class TerminalProgress:
    """One tqdm bar, renamed at each phase. `close` before anything else is printed."""

    def __init__(self) -> None:
        self._bar: Any = None

    def phase(self, name: str, total: int) -> None:
        from tqdm import tqdm

        self.close()
        self._bar = tqdm(
            total=total,
            desc=name,
            unit="B",
            unit_scale=True,
            unit_divisor=1024,
            file=sys.stderr,
            mininterval=0.2,
            ncols=_columns(),
            nrows=_ROWS,
            leave=False,
        )

    def advance(self, count: int) -> None:
        if self._bar is not None:
            self._bar.update(count)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def _columns() -> int:
    """80 where the terminal tells none: a serial console says that it has 0."""
    try:
        # tqdm leaves the last one free: some terminals wrap behind it
        return max(os.get_terminal_size(sys.stderr.fileno()).columns, 1) - 1 or _COLUMNS - 1
    except (OSError, ValueError):
        return _COLUMNS - 1


def choose(asked: bool | None) -> TerminalProgress | None:
    """A bar if asked for, or if stderr is a terminal and nobody said no."""
    wanted = sys.stderr.isatty() if asked is None else asked
    return TerminalProgress() if wanted else None
