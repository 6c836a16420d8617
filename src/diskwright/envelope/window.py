"""Work on a stream in threads: results in order, only so many at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def ordered(
    work: Callable[[T], R], items: Iterable[T], *, workers: int
) -> Generator[R, None, None]:
    """`work(item)` of each item, in the items' order, `workers` at a time.

    At most `workers + 2` items are taken ahead of what was handed out. Threads have ended when
    this iterator is exhausted, closed, or has raised what `items` or `work` raised.
    """
    pool = ThreadPoolExecutor(workers, thread_name_prefix="envelope")
    pending: deque[Future[R]] = deque()
    try:
        for item in items:
            pending.append(pool.submit(work, item))
            if len(pending) > workers + 1:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
