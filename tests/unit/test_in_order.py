"""Many pieces of work: in order, at once, and ended when nobody wants them."""

from __future__ import annotations

import threading
import time

import pytest

from diskwright.errors import Cancelled, InputMissing
from diskwright.model.nulls import NeverCancelled
from diskwright.ops.in_order import in_order

JOBS = [1, 2, 3, 50]
PATIENCE_S = 10


class Wish:
    """A token that is cancelled at the n-th look."""

    def __init__(self, after: int) -> None:
        self.left = after

    def check(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Cancelled(15)


@pytest.mark.parametrize("jobs", JOBS)
def test_results_come_in_the_order_of_the_items(jobs):
    def work(item, cancel):
        time.sleep(0.001 * (7 * item % 5))  # later ones are done earlier
        return item * item

    found = in_order(work, range(60), jobs=jobs, cancel=NeverCancelled())
    assert list(found) == [item * item for item in range(60)]


@pytest.mark.parametrize("jobs", JOBS)
def test_nothing_to_do_is_done(jobs):
    assert list(in_order(lambda item, cancel: item, (), jobs=jobs, cancel=NeverCancelled())) == []


def test_so_many_run_at_once_and_no_more():
    both = threading.Barrier(2)
    running, most, lock = 0, 0, threading.Lock()

    def work(item, cancel):
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        both.wait(PATIENCE_S)
        with lock:
            running -= 1

    list(in_order(work, range(10), jobs=2, cancel=NeverCancelled()))
    assert most == 2


def test_those_done_ahead_of_a_slow_one_are_bounded():
    first, begun = threading.Event(), []

    def work(item, cancel):
        begun.append(item)
        if item == 0:
            first.wait(PATIENCE_S)

    found = in_order(work, range(1000), jobs=2, cancel=NeverCancelled())
    threading.Timer(0.3, first.set).start()
    next(found)
    assert len(begun) < 40
    found.close()


@pytest.mark.parametrize("jobs", JOBS)
def test_an_error_of_the_work_ends_it_in_its_place(jobs):
    def work(item, cancel):
        if item == 3:
            raise InputMissing(str(item))
        return item

    found = in_order(work, range(1000), jobs=jobs, cancel=NeverCancelled())
    assert [next(found) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(InputMissing):
        next(found)
    assert not [t for t in threading.enumerate() if t.name.startswith("diskwright-job")]


@pytest.mark.parametrize("end", ["error", "close", "wish"])
def test_what_runs_is_told_and_waited_for_however_it_ends(end):
    told = []

    def work(item, cancel):
        if item == 0:
            if end == "error":
                raise InputMissing("x")
            return item
        limit = time.monotonic() + PATIENCE_S
        while time.monotonic() < limit:
            try:
                cancel.check()
            except Cancelled:
                told.append(item)
                raise
            time.sleep(0.001)
        return item

    wish = Wish(200) if end == "wish" else NeverCancelled()
    found = in_order(work, range(1000), jobs=2, cancel=wish)
    if end == "error":
        with pytest.raises(InputMissing):
            next(found)
    elif end == "close":
        next(found)
        found.close()
    else:
        with pytest.raises(Cancelled):
            list(found)
    assert len(told) <= 3
    assert not [t for t in threading.enumerate() if t.name.startswith("diskwright-job")]
