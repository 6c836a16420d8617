"""Ctrl-C and SIGTERM as a token that workers look at; a second Ctrl-C does not wait."""

from __future__ import annotations

import signal
import threading
from types import FrameType


class SignalCancel:
    """A CancelToken. `install` in the main thread; what was there before comes back on exit."""

    def __init__(self) -> None:
        self._asked = threading.Event()
        self._signal = signal.SIGINT
        self._before: dict[signal.Signals, object] = {}

    def check(self) -> None:
        if self._asked.is_set():
            from diskwright.errors import Cancelled

            raise Cancelled(int(self._signal))

    def __enter__(self) -> SignalCancel:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if self._asked.is_set():
            raise KeyboardInterrupt
        self._signal = signal.Signals(number)
        self._asked.set()
