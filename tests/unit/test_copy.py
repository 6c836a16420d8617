"""Which windows are read, and how the threads that read them start and end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from diskwright.blockio import copy
from diskwright.blockio.copy import Touched, bytes_to_read, ordered_map, windows
from diskwright.blockio.memory import MemoryReader
from diskwright.model.extent import Extent, ExtentKind
from support.disks import copy_threads


def touched_windows(picture: str, window: int, size: int | None = None) -> str:
    """The picture of a disk's windows: `#` read, `-` skipped."""
    reader = MemoryReader.of_picture(picture, unit=4, size=size)
    found = list(windows(reader.extents(0, reader.size), reader.size, window))
    assert all(w.start % window == 0 and w.end == min(w.start + window, reader.size) for w in found)
    marks = ["-"] * -(-reader.size // window)
    for w in found:
        assert marks[w.start // window] == "-", "a window came twice"
        marks[w.start // window] = "#"
    return "".join(marks)


@pytest.mark.parametrize(
    ("picture", "expected"),
    [
        ("----", "--"),
        ("0-0-", "--"),
        ("A---", "#-"),
        ("-A--", "#-"),
        ("A0C-", "##"),
        ("-AB-", "##"),
        ("A-B-", "##"),
        ("--.-", "-#"),
        ("ABCD", "##"),
        ("--A", "-#"),
    ],
)
def test_windows_with_data_are_read_whole_and_once(picture: str, expected: str) -> None:
    assert touched_windows(picture, window=8) == expected


def test_the_last_window_ends_with_the_disk() -> None:
    assert touched_windows("AAA", window=8, size=9) == "##"


def test_one_extent_over_many_windows_gives_each() -> None:
    assert touched_windows("-AAAAA-", window=4) == "-#####-"


def extents_of(*pairs: tuple[int, int]) -> list[Extent]:
    return [Extent(start, length, ExtentKind.DATA) for start, length in pairs]


@pytest.mark.parametrize(
    "extents",
    [
        extents_of((0, 4)),
        extents_of((4, 4)),
        extents_of((0, 4), (5, 3)),
        extents_of((0, 5), (4, 4)),
        extents_of((0, 0), (0, 8)),
        extents_of((0, 9)),
        extents_of((0, 4), (4, -4), (0, 8)),
        [],
    ],
)
def test_extents_that_contradict_themselves_are_refused(extents: list[Extent]) -> None:
    with pytest.raises(ValueError):
        list(windows(extents, 8, 4))


def test_touched_counts_each_unit_once() -> None:
    touched = Touched(4)
    for start, end in [(1, 2), (3, 4), (3, 5), (6, 8), (17, 19)]:
        touched.add(start, end)
    assert touched.count == 3
    assert touched.covered(19) == 4 + 4 + 3


def test_bytes_to_read_are_those_of_all_windows() -> None:
    mib = 1 << 20
    reader = MemoryReader(9 * mib + 512, {0: b"a", 3 * mib: b"b", 9 * mib: b"c"})
    extents = list(reader.extents(0, reader.size))
    total = sum(window.length for window in windows(extents, reader.size))
    assert bytes_to_read(extents, reader.size) == total == 5 * mib + 512


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("ahead", [1, 5])
def test_results_keep_their_order(threads: int, ahead: int) -> None:
    results = ordered_map(range(50), lambda n: n * n, threads=threads, ahead=ahead)
    assert list(results) == [n * n for n in range(50)]
    assert not copy_threads()


def test_no_more_than_ahead_are_begun() -> None:
    drawn = 0

    def items() -> Iterator[int]:
        nonlocal drawn
        while drawn < 100:
            drawn += 1
            yield drawn

    results = ordered_map(items(), lambda n: n, threads=2, ahead=4)
    for taken, _ in enumerate(results, start=1):
        assert drawn <= taken - 1 + 4
    assert drawn == 100


def test_items_are_worked_at_in_several_threads_at_once() -> None:
    both = threading.Barrier(2, timeout=20)
    assert len(list(ordered_map(range(4), lambda _: both.wait(), threads=2, ahead=2))) == 4


def test_the_first_failure_comes_in_its_turn_as_it_was() -> None:
    failure = ZeroDivisionError("the original")
    begun: list[int] = []

    def work(n: int) -> int:
        begun.append(n)
        if n == 3:
            raise failure
        return n

    results = ordered_map(range(1000), work, threads=2, ahead=4)
    taken: list[int] = []
    with pytest.raises(ZeroDivisionError) as caught:
        taken.extend(results)
    assert caught.value is failure
    assert taken == [0, 1, 2]
    assert len(begun) < 10
    assert not copy_threads()


def test_a_failure_of_the_items_ends_the_threads() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise KeyError("items")

    with pytest.raises(KeyError):
        list(ordered_map(items(), lambda n: n, threads=2, ahead=1))
    assert not copy_threads()


def test_closing_early_ends_the_threads() -> None:
    results = ordered_map(range(1000), lambda n: n, threads=2, ahead=6)
    next(results)
    assert copy_threads()
    results.close()
    assert not copy_threads()


def test_what_was_queued_is_not_begun_once_it_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    closing = threading.Event()

    class Told(ThreadPoolExecutor):
        """Says that it was shut down before it waits."""

        def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
            super().shutdown(wait=False, cancel_futures=cancel_futures)
            closing.set()
            super().shutdown(wait=wait)

    monkeypatch.setattr(copy, "ThreadPoolExecutor", Told)
    begun: list[int] = []

    def work(n: int) -> None:
        begun.append(n)
        if n:
            assert closing.wait(timeout=20)

    results = ordered_map(range(1000), work, threads=1, ahead=6)
    next(results)
    results.close()
    assert len(begun) <= 2


def test_nothing_starts_before_the_first_result_is_asked_for() -> None:
    results = ordered_map(range(3), lambda n: n, threads=2, ahead=2)
    assert not copy_threads()
    del results


@pytest.mark.parametrize(("threads", "ahead"), [(0, 1), (1, 0)])
def test_no_threads_or_nothing_ahead_is_refused(threads: int, ahead: int) -> None:
    with pytest.raises(ValueError):
        next(ordered_map([1], lambda n: n, threads=threads, ahead=ahead))
