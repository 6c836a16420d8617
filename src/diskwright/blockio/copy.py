"""How a disk is walked through: what is read (policy), and by how many threads (workers).

A window is an aligned stretch of the disk that is read in one call, whole, when any of its bytes
are data:

    extents   |data|      hole      |data |zero|  hole  |
    windows   [ 2 MiB ][        ][        ][        ][  ]
    read      [#######]          [########]
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from itertools import islice
from typing import TypeVar

from diskwright._values import Struct
from diskwright.model.extent import Extent
from diskwright.model.units import MIB
from diskwright.ports import BlockReader

# Large enough that a read's fixed cost (a request, a switch of threads) does not count, small
# enough that all windows in flight fit into tens of MiB.
WINDOW = 2 * MIB
_TURN_S = 0.1

Item = TypeVar("Item")
Result = TypeVar("Result")


class Window(Struct, frozen=True):
    """`[start, start + length)` bytes of the disk; only the disk's last one is short."""

    start: int
    length: int

    @property
    def end(self) -> int:
        return self.start + self.length


def windows(extents: Iterable[Extent], size: int, window: int = WINDOW) -> Iterator[Window]:
    """The windows that hold data, ascending, each once.

    Raises ValueError where the extents leave a gap, overlap, or do not end at `size`.
    """
    cursor = done = 0
    for extent in extents:
        if extent.start != cursor or extent.length <= 0 or extent.end > size:
            raise ValueError(f"extent at {extent.start}, expected at {cursor} of {size}")
        cursor = extent.end
        if not extent.is_data:
            continue
        first = max(done, extent.start // window * window)
        for start in range(first, extent.end, window):
            yield Window(start, min(window, size - start))
            done = start + window
    if cursor != size:
        raise ValueError(f"extents end at {cursor} of {size}")


class Touched:
    """Counts the units of `unit` bytes that ascending ranges touch, each unit once."""

    def __init__(self, unit: int) -> None:
        self._unit = unit
        self._next = 0
        self.count = 0

    def add(self, start: int, end: int) -> None:
        first = max(self._next, start // self._unit)
        self._next = max(first, -(-end // self._unit))
        self.count += self._next - first

    def covered(self, size: int) -> int:
        """Bytes of the touched units on a disk of `size` bytes, whose last unit may be short."""
        return self.count * self._unit - max(0, self._next * self._unit - size)


def bytes_to_read(extents: Iterable[Extent], size: int) -> int:
    """What reading all windows with data reads: the total that a ProgressView counts up to."""
    touched = Touched(WINDOW)
    for extent in extents:
        if extent.is_data:
            touched.add(extent.start, extent.end)
    return touched.covered(size)


def ordered_map(
    items: Iterable[Item], work: Callable[[Item], Result], *, threads: int, ahead: int
) -> Generator[Result, None, None]:
    """`work` of each item in `threads` threads, the results in the items' order.

    At most `ahead` items are begun before their results are taken. What `work` raises is raised
    here in its turn, what `items` raises when it is drawn from. However the generator ends
    (exhausted, closed, an exception), no item is begun any more and its threads are gone when it
    returns.
    """
    if threads < 1 or ahead < 1:
        raise ValueError("there is at least one thread and one item ahead")
    source = iter(items)
    executor = ThreadPoolExecutor(threads, thread_name_prefix="diskwright-copy")
    begun: deque[Future[Result]] = deque()
    try:
        begun.extend(executor.submit(work, item) for item in islice(source, ahead))
        while begun:
            # popped before it is waited for: a result that was yielded is not held any longer
            yield _result(begun.popleft())
            begun.extend(executor.submit(work, item) for item in islice(source, 1))
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


def _result(future: Future[Result]) -> Result:
    """Waits in short turns: Python runs a signal's handler in the main thread alone, and the kernel
    need not wake that one when it hands the signal to the process.
    """
    while not wait((future,), _TURN_S).done:
        pass
    return future.result()


def read_windows(
    reader: BlockReader, work: Callable[[Window], Result], *, threads: int
) -> Generator[Result, None, None]:
    """`work` of each window of `reader` that holds data, in order, `threads` at once."""
    extents = reader.extents(0, reader.size)
    # one result waits to be taken while each thread works at one and has one to go on with
    return ordered_map(windows(extents, reader.size), work, threads=threads, ahead=2 * threads + 1)


class ThreadBuffer:
    """One buffer of `size` bytes for each thread that asks, used again at its next call.

    For work that is done with the bytes when it returns: nothing of them may be handed on.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._local = threading.local()

    def get(self) -> bytearray:
        """With whatever the last use in this thread left in it."""
        buffer: bytearray | None = getattr(self._local, "buffer", None)
        if buffer is None:
            buffer = self._local.buffer = bytearray(self._size)
        return buffer
