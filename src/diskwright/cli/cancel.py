"""Ctrl-C, SIGTERM and a closed terminal: how the command is asked to stop.

    while a verb works with the token   the first signal is seen at its next look
    elsewhere (a prompt, inspect)       the main thread is interrupted where it stands

Either way the run leaves through its clean-up, which a second signal does not disturb; a third
does, and what is left then is cleaned by the next run.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_PATIENCE = 3  # this signal no longer waits for the clean-up


class Interrupted(BaseException):
    """Raised in the main thread, where it stands. Not an Exception: nothing on the way takes it."""


class SignalCancel:
    """A CancelToken. Enter it in the main thread; what was there before comes back on exit.

    But not after `over`, which a run that was asked to stop calls before its last words.
    """

    def __init__(self) -> None:
        self.signal = int(signal.SIGINT)
        self._count = 0  # no Event: its lock might be held by the code that a signal interrupts
        self._looked_at = False
        self._counting = False
        self._ending = False
        self._before: dict[signal.Signals, object] = {}

    def check(self) -> None:
        if self._count:
            from diskwright.errors import Cancelled  # `--help` needs none of it

            self._ending = True
            raise Cancelled(self.signal)

    @contextmanager
    def looked_at(self) -> Iterator[SignalCancel]:
        """Inside, a verb looks at the token often."""
        self._looked_at = True
        try:
            yield self
        finally:
            self._looked_at = False

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Inside, as in an import, only who is impatient interrupts; `check` afterwards."""
        self._counting = True
        try:
            yield
        finally:
            self._counting = False

    @contextmanager
    def interrupting(self) -> Iterator[None]:
        """Inside, as at a prompt, nobody looks: a signal interrupts the main thread at once."""
        looked_at, self._looked_at = self._looked_at, False
        try:
            self.check()
            yield
        finally:
            self._looked_at = looked_at

    def __enter__(self) -> SignalCancel:
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
                    self._before[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        self._before.clear()

    def over(self) -> None:
        """From here on further signals are ignored: they would only disturb the last words, and the
        interpreter's own end.
        """
        for number in self._before:
            signal.signal(number, signal.SIG_IGN)
        self._before.clear()

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        self._count += 1
        if self._count == 1:
            self.signal = number
            if self._looked_at:
                return
        if (self._ending or self._counting) and self._count < _PATIENCE:
            return
        self._ending = True
        raise Interrupted
