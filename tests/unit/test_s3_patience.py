"""A request never outlasts the user's wish to stop, and clean-up ends with a dead network."""

from __future__ import annotations

import threading

import pytest

from diskwright.adapters.s3 import patience
from diskwright.adapters.s3.patience import Patience
from diskwright.adapters.s3.retry import Caller, RetryPolicy
from diskwright.errors import Cancelled, RemoteUnreachable


class Wish:
    """A CancelToken that the test switches."""

    def __init__(self) -> None:
        self.asked = False

    def check(self) -> None:
        if self.asked:
            raise Cancelled


@pytest.fixture(autouse=True)
def soon(monkeypatch) -> None:
    for name in ("_LOOK_S", "_MOMENT_S", "_CLEAN_UP_S"):
        monkeypatch.setattr(patience, name, 0.01)


@pytest.fixture
def blocked():
    """A request that is never answered; `blocked.begun` is set once it is on its way."""
    over = threading.Event()

    def send() -> str:
        send.begun.set()
        over.wait()
        return "late"

    send.begun = threading.Event()
    yield send
    over.set()


def test_without_a_token_requests_run_in_the_callers_thread():
    assert Patience(None, endpoint="x")(threading.current_thread) is threading.current_thread()


def test_answers_and_errors_come_through():
    patient = Patience(Wish(), endpoint="x")
    assert patient(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        patient(lambda: 1 / 0)


def test_a_request_that_is_under_way_is_left_at_the_wish(blocked):
    wish = Wish()

    def ask() -> None:
        blocked.begun.wait()
        wish.asked = True

    threading.Thread(target=ask).start()
    with pytest.raises(Cancelled):
        Patience(wish, endpoint="x")(blocked)


def test_clean_up_is_done_and_its_first_silence_is_the_last(blocked):
    wish = Wish()
    wish.asked = True
    patient = Patience(wish, endpoint="x")
    assert patient(lambda: "cleaned") == "cleaned"
    with pytest.raises(RemoteUnreachable, match="cleaning up"):
        patient(blocked)
    with pytest.raises(RemoteUnreachable, match="cleaning up"):
        patient(lambda: pytest.fail("it was sent into a dead network"))


@pytest.mark.parametrize("cancel", [None, Wish()])
def test_a_request_that_takes_too_long_is_left_and_tried_again(blocked, cancel):
    pauses = []
    call = Caller(
        RetryPolicy(pause=pauses.append), endpoint="x", bucket="b", cancel=cancel, stall_s=0.1
    )

    def send() -> str:
        return "soon" if blocked.begun.is_set() else blocked()

    assert call("get", "k", send) == "soon"
    assert len(pauses) == 1


def test_what_moves_bytes_has_their_time_and_a_store_at_work_all_it_wants(blocked):
    done = threading.Event()

    def send() -> str:
        done.wait(0.1)
        return "done"

    call = Caller(RetryPolicy(attempts=1), endpoint="x", bucket="b", stall_s=0.01)
    assert call("put_part", "k", send, moved=1 << 20) == "done"
    assert call("complete_upload", "k", send, moved=None) == "done"
    with pytest.raises(RemoteUnreachable, match="too slowly"):
        call("list", "", blocked)


def failing(calls: list[int]):
    from botocore.exceptions import EndpointConnectionError

    def send() -> None:
        calls.append(1)
        raise EndpointConnectionError(endpoint_url="x")

    return send


def test_a_pause_between_attempts_ends_at_the_wish():
    wish, calls, over = Wish(), [], threading.Event()

    def pause(_: float) -> None:
        wish.asked = True
        over.wait()

    call = Caller(RetryPolicy(pause=pause), endpoint="x", bucket="b", cancel=wish)
    with pytest.raises(Cancelled):
        call("put", "k", failing(calls))
    over.set()
    assert len(calls) == 1


def test_clean_up_does_not_try_again():
    wish, calls = Wish(), []
    wish.asked = True
    with pytest.raises(RemoteUnreachable):
        Caller(RetryPolicy(), endpoint="x", bucket="b", cancel=wish)("list", "k", failing(calls))
    assert len(calls) == 1


def test_what_fails_because_of_the_wish_is_a_wish():
    wish, calls = Wish(), []
    send = failing(calls)

    def send_and_ask() -> None:
        wish.asked = True
        send()

    with pytest.raises(Cancelled):
        Caller(RetryPolicy(), endpoint="x", bucket="b", cancel=wish)("put", "k", send_and_ask)
