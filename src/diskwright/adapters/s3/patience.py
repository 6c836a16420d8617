"""Requests that end when the user asks to stop, whatever the network does.

    begun before the wish   at the wish it gets a moment more, then it is left to itself: Cancelled
    begun after it          it is clean-up, and has its time; the first one that is not answered
                            in it is the last: the network is taken for dead

What was left to itself may still be done by the server; clean-up goes by key and finds it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar

from diskwright.adapters.s3.errors import TooSlow
from diskwright.errors import Cancelled, RemoteUnreachable
from diskwright.ports import CancelToken

T = TypeVar("T")

_LOOK_S = 0.05  # how soon a wait notices the wish
_MOMENT_S = 0.3
_CLEAN_UP_S = 1.5  # a request of clean-up moves no data


class Patience:
    """For one store. Without token and limit requests simply run, in the caller's thread."""

    def __init__(self, cancel: CancelToken | None, *, endpoint: str) -> None:
        self._cancel = cancel
        self._endpoint = endpoint
        self._silent = False

    def look(self) -> None:
        """Raises Cancelled once the user has asked to stop."""
        if self._cancel is not None:
            self._cancel.check()

    @property
    def asked_to_stop(self) -> bool:
        return self._wish() is not None

    def __call__(self, send: Callable[[], T], *, limit_s: float | None = None) -> T:
        """Raises TooSlow after `limit_s`; what was sent is then left to itself."""
        if self._cancel is None and limit_s is None:
            return send()
        if self._wish() is not None:
            return self._clean_up(send)
        future = _begun(send)
        end = None if limit_s is None else time.monotonic() + limit_s
        while not wait([future], _LOOK_S).done:
            if end is not None and time.monotonic() > end:
                raise TooSlow
            wish = self._wish()
            if wish is not None and not wait([future], _MOMENT_S).done:
                raise wish
        return future.result()

    def _clean_up(self, send: Callable[[], T]) -> T:
        if not self._silent:
            future = _begun(send)
            if wait([future], _CLEAN_UP_S).done:
                return future.result()
            self._silent = True
        raise RemoteUnreachable(self._endpoint, "no answer while cleaning up")

    def _wish(self) -> Cancelled | None:
        try:
            self.look()
        except Cancelled as wish:
            return wish
        return None


def _begun(send: Callable[[], T]) -> Future[T]:
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(send())
        except BaseException as error:  # noqa: BLE001 - it is raised in the thread that waits
            future.set_exception(error)

    # A daemon: a request that nobody waits for any more must not keep the process alive.
    threading.Thread(target=run, name="diskwright-request", daemon=True).start()
    return future
