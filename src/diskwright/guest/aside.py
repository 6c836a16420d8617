"""Work on bytes of the disk in a thread of its own, while the disk's one reader goes on."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")

HELD_BYTES = 16 << 20  # of blocks that wait: as many are read in vain where the work fails


class Aside(Generic[T]):
    """`work` on `blocks`, which are drawn here and now: nobody reads a disk from two threads.

    Drawn as far as `work` takes them; where more than `HELD_BYTES` wait, as fast as it does.
    """

    def __init__(self, blocks: Iterator[bytes], work: Callable[[Iterator[bytes]], T]) -> None:
        self._work = work
        self._waiting: deque[bytes] = deque()
        self._held = 0
        self._drawn = False  # to the end, or until it failed
        self._worked = False
        self._failed: Exception | None = None  # drawing
        self._outcome: T | Exception | None = None
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="aside", daemon=True)
        self._thread.start()
        self._draw(blocks)

    def result(self) -> T:
        """Waits for it. What `work` raised is raised; drawing's errors are raised in `work`."""
        self._thread.join()
        if isinstance(self._outcome, Exception):
            raise self._outcome
        return self._outcome  # type: ignore[return-value] # what `work` returned

    def _draw(self, blocks: Iterator[bytes]) -> None:
        failed = None
        try:
            while self._has_room() and (block := next(blocks, None)) is not None:
                with self._changed:
                    self._waiting.append(block)
                    self._held += len(block)
                    self._changed.notify_all()
        except Exception as error:  # noqa: BLE001 - raised again in `work`, in its turn
            failed = error
        with self._changed:
            self._failed, self._drawn = failed, True
            self._changed.notify_all()

    def _has_room(self) -> bool:
        """Waits for it; False where nobody takes any more."""
        with self._changed:
            self._changed.wait_for(lambda: self._worked or self._held <= HELD_BYTES)
            return not self._worked

    def _run(self) -> None:
        try:
            self._outcome = self._work(self._taken())
        except Exception as error:  # noqa: BLE001 - raised again by result()
            self._outcome = error
        finally:
            with self._changed:
                self._worked = True
                self._waiting.clear()
                self._changed.notify_all()

    def _taken(self) -> Iterator[bytes]:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._drawn)
                if not self._waiting:
                    break
                block = self._waiting.popleft()
                self._held -= len(block)
                self._changed.notify_all()
            yield block
        if self._failed is not None:
            raise self._failed
