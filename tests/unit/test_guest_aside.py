"""Work that goes on in a thread of its own while the disk is read."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from diskwright.guest import aside
from diskwright.guest.aside import Aside


class Gone(Exception):
    pass


def test_blocks_are_drawn_here_and_worked_on_elsewhere() -> None:
    drawn, worked = set(), set()

    def blocks() -> Iterator[bytes]:
        for number in range(100):
            drawn.add(threading.get_ident())
            yield bytes([number])

    def work(them: Iterator[bytes]) -> bytes:
        worked.add(threading.get_ident())
        return b"".join(them)

    assert Aside(blocks(), work).result() == bytes(range(100))
    assert drawn == {threading.get_ident()}
    assert worked.isdisjoint(drawn)


def test_all_is_drawn_when_it_was_begun_and_the_work_need_not_be_done() -> None:
    """Else the disk would be read from two places."""
    go = threading.Event()
    left = iter([b"1", b"2"])

    def work(them: Iterator[bytes]) -> list[bytes]:
        go.wait(60)
        return list(them)

    begun = Aside(left, work)
    assert list(left) == []
    go.set()
    assert begun.result() == [b"1", b"2"]
    assert begun.result() == [b"1", b"2"]


def test_no_more_is_held_than_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aside, "HELD_BYTES", 10)
    given = taken = most = 0

    def blocks() -> Iterator[bytes]:
        nonlocal given, most
        for _ in range(1000):
            given += 4
            most = max(most, given - taken)
            yield bytes(4)

    def work(them: Iterator[bytes]) -> int:
        nonlocal taken
        for block in them:
            taken += len(block)
        return taken

    assert Aside(blocks(), work).result() == 4000
    # what waits, the block past the bound, the one on its way to either side
    assert most <= 10 + 3 * 4


def test_what_is_not_taken_is_not_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aside, "HELD_BYTES", 10)
    endless = iter(lambda: b"1234", b"")
    assert Aside(endless, next).result() == b"1234"


def test_an_error_of_drawing_is_raised_where_it_is_worked_in_its_turn() -> None:
    def blocks() -> Iterator[bytes]:
        yield b"1"
        raise Gone

    def work(them: Iterator[bytes]) -> list[bytes]:
        seen = []
        with pytest.raises(Gone):
            seen.extend(iter(lambda: next(them), None))
        return seen

    assert Aside(blocks(), work).result() == [b"1"]
    with pytest.raises(Gone):
        Aside(blocks(), lambda them: sum(map(len, them))).result()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_work_that_ends_its_thread_lets_drawing_end() -> None:
    def work(them: Iterator[bytes]) -> None:
        next(them)
        raise SystemExit

    assert Aside(iter(lambda: b"1234567890" * 1000, b""), work).result() is None


def test_an_error_of_the_work_is_raised_by_result_and_stops_drawing() -> None:
    def work(them: Iterator[bytes]) -> None:
        next(them)
        raise Gone

    begun = Aside(iter(lambda: b"1234567890" * 1000, b""), work)
    with pytest.raises(Gone):
        begun.result()
