"""Progress on stderr: phase, bytes, rate and time left; silent where nobody watches."""

from __future__ import annotations

import sys
from typing import Any


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
            dynamic_ncols=True,
            leave=False,
        )

    def advance(self, count: int) -> None:
        if self._bar is not None:
            self._bar.update(count)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def choose(asked: bool | None) -> TerminalProgress | None:
    """A bar if asked for, or if stderr is a terminal and nobody said no."""
    wanted = sys.stderr.isatty() if asked is None else asked
    return TerminalProgress() if wanted else None
