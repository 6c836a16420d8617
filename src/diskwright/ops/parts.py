"""Threads that send the parts of one upload, and the few buffers that go round.

    take() -> Buffer --fill--> submit(number, buffer) -> a worker sends it -> back to take()

There are `workers + 1` buffers: each worker may hold one while the next one is filled. An error of
a worker comes out of the next `take`, `submit` or `drain`; what stands in the queue is not sent
any more.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from diskwright.ports import CancelToken

_POLL_S = 0.1  # how soon a wait notices that the user asked to stop


class PartSender:
    """`send(number, data)` is called in the workers' threads; `data` is theirs until it returns."""

    def __init__(
        self,
        send: Callable[[int, memoryview], None],
        *,
        part_size: int,
        workers: int,
        cancel: CancelToken,
    ) -> None:
        self._send = send
        self._part_size = part_size
        self._workers = workers
        self._cancel = cancel
        self._free: list[bytearray] = []
        self._made = 0
        self._queue: deque[tuple[int, bytearray | None, memoryview]] = deque()
        self._busy = 0
        self._stopped = False
        self._error: BaseException | None = None
        self._change = threading.Condition()
        self._threads: list[threading.Thread] = []

    def take(self) -> bytearray:
        """A buffer of one part's size, of any content."""
        with self._change:
            self._wait(lambda: bool(self._free) or self._made <= self._workers)
            if self._free:
                return self._free.pop()
            self._made += 1
        return bytearray(self._part_size)

    def submit(self, number: int, buffer: bytearray, length: int) -> None:
        """The buffer is the workers' from now on."""
        self._enqueue(number, buffer, memoryview(buffer)[:length])

    def submit_shared(self, number: int, data: memoryview) -> None:
        """Bytes that nobody changes, and that need not come back. Waits for a worker."""
        with self._change:
            self._wait(lambda: len(self._queue) < self._workers)
        self._enqueue(number, None, data)

    def drain(self) -> None:
        """Wait until everything was sent."""
        with self._change:
            self._wait(lambda: not self._queue and not self._busy)

    def stop(self, wait_s: float) -> None:
        """Send nothing more. A worker that waits for the network is waited for `wait_s` at most."""
        with self._change:
            self._stopped = True
            self._queue.clear()
            self._change.notify_all()
            self._change.wait_for(lambda: not self._busy, wait_s)
            self._free.clear()

    def _enqueue(self, number: int, buffer: bytearray | None, data: memoryview) -> None:
        with self._change:
            if self._error is not None:
                raise self._error
            self._queue.append((number, buffer, data))
            if len(self._threads) < self._workers:
                # A daemon: a stuck request must not keep a cancelled process alive.
                thread = threading.Thread(target=self._work, name="diskwright-part", daemon=True)
                self._threads.append(thread)
                thread.start()
            self._change.notify_all()

    def _wait(self, ready: Callable[[], bool]) -> None:
        while True:
            self._cancel.check()
            if self._error is not None:
                raise self._error
            if self._change.wait_for(lambda: ready() or self._error is not None, _POLL_S):
                if self._error is not None:
                    raise self._error
                return

    def _work(self) -> None:
        while True:
            with self._change:
                self._change.wait_for(lambda: self._stopped or bool(self._queue))
                if self._stopped:
                    return
                number, buffer, data = self._queue.popleft()
                self._busy += 1
            error: BaseException | None = None
            try:
                self._send(number, data)
            except BaseException as caught:  # noqa: BLE001 - it is raised in the caller's thread
                error = caught
            with self._change:
                self._busy -= 1
                if buffer is not None and not self._stopped:
                    self._free.append(buffer)
                if error is not None and self._error is None:
                    self._error = error
                    self._queue.clear()
                self._change.notify_all()
