"""Many pieces of work at once, their results in the order that they were asked for."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TypeVar

from diskwright.errors import Cancelled
from diskwright.ports import CancelToken

T = TypeVar("T")
R = TypeVar("R")

_LOOK_S = 0.1  # how soon a wait notices that the user asked to stop
_AHEAD = 8  # results for each job that may wait for an earlier one: a bound of memory


class _Stop:
    """The wish of the user, and ours: once the results are not wanted any more."""

    def __init__(self, cancel: CancelToken) -> None:
        self._cancel = cancel
        self._over = threading.Event()

    def set(self) -> None:
        self._over.set()

    def check(self) -> None:
        if self._over.is_set():
            raise Cancelled
        self._cancel.check()


def in_order(
    work: Callable[[T, CancelToken], R],
    items: Sequence[T],
    *,
    jobs: int,
    cancel: CancelToken,
) -> Generator[R, None, None]:
    """What `work` makes of each item, `jobs` at a time in threads; one job is done by the caller.

    Threads do where the work is waiting for child processes. An error of one item comes out in its
    place and ends the whole. However it ends, nothing begins after that, the token given to `work`
    says so to what runs, and no thread is left.
    """
    if jobs == 1:
        for item in items:
            cancel.check()
            yield work(item, cancel)
        return
    stop = _Stop(cancel)
    pool = ThreadPoolExecutor(jobs, thread_name_prefix="diskwright-job")
    begun: deque[Future[R]] = deque()

    def run(item: T) -> R:
        stop.check()
        return work(item, stop)

    try:
        for item in items:
            begun.append(pool.submit(run, item))
            if len(begun) == jobs * _AHEAD:
                yield _result(begun.popleft(), cancel)
        while begun:
            yield _result(begun.popleft(), cancel)
    finally:
        stop.set()
        pool.shutdown(cancel_futures=True)


def _result(future: Future[R], cancel: CancelToken) -> R:
    while not wait([future], timeout=_LOOK_S).done:
        cancel.check()
    return future.result()
