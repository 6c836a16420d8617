"""How often and how long one request is tried: the only place that decides it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from diskwright._values import Struct
from diskwright.adapters.s3.answers import asks_to_wait
from diskwright.adapters.s3.errors import OURS, is_busy, is_transient, translate
from diskwright.adapters.s3.patience import Patience
from diskwright.ports import CancelToken

T = TypeVar("T")

_LEAST_RATE = 4 << 10  # bytes a second: what is slower is not waited for


class RetryPolicy(Struct, frozen=True):
    """Attempt n is followed by a pause drawn evenly from 0 to min(cap, first * 2^(n-1)).

    Full jitter: clients that failed together do not come back together. A store that says that it
    is busy (503, 429, SlowDown) is asked again until the pauses sum up to `patience_s`.
    """

    attempts: int = 6
    first_pause_s: float = 0.25
    longest_pause_s: float = 8.0
    patience_s: float = 60.0
    pause: Callable[[float], None] = time.sleep

    def length(self, attempt: int, *, at_least: float = 0.0) -> float:
        """Seconds to wait after attempt number `attempt`, from 1."""
        longest = min(self.longest_pause_s, self.first_pause_s * 2 ** (attempt - 1))
        return at_least + random.uniform(0, longest)  # noqa: S311 - a pause is no secret


class Caller:
    """Sends, sends again what may go better, and gives errors as ours.

    With `cancel` no call outlasts the user's wish to stop (see `Patience`). With `stall_s` none
    takes longer than that and what its bytes take at `_LEAST_RATE`.
    """

    def __init__(
        self,
        policy: RetryPolicy,
        *,
        endpoint: str,
        bucket: str,
        cancel: CancelToken | None = None,
        addressing: str = "auto",
        stall_s: float | None = None,
    ) -> None:
        self._policy = policy
        self.patience = Patience(cancel, endpoint=endpoint)
        self._endpoint = endpoint
        self._bucket = bucket
        self._addressing = addressing
        self._stall_s = stall_s

    def __call__(
        self,
        operation: str,
        key: str,
        send: Callable[[], T],
        *,
        attempts: int | None = None,
        moved: int | None = 0,
    ) -> T:
        """`moved` bytes go with it at most; None: the store may take its time over it."""
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.parsers import ResponseParserError

        attempt, paused = 1, 0.0
        clean_up = self.patience.asked_to_stop
        limit = None
        if self._stall_s is not None and moved is not None:
            limit = self._stall_s + moved / _LEAST_RATE
        while True:
            try:
                return self.patience(send, limit_s=limit)
            except (BotoCoreError, ClientError, ResponseParserError, *OURS) as error:
                if not clean_up:
                    self.patience.look()  # it may have failed because of the wish to stop
                if clean_up or self._is_enough(error, attempt, paused, attempts):
                    raise translate(
                        error,
                        endpoint=self._endpoint,
                        bucket=self._bucket,
                        operation=operation,
                        key=key,
                        addressing=self._addressing,
                    ) from error
                pause = self._policy.length(attempt, at_least=asks_to_wait(error))
            self.patience(partial(self._policy.pause, pause))
            paused += pause
            attempt += 1

    def _is_enough(
        self, error: Exception, attempt: int, paused: float, attempts: int | None
    ) -> bool:
        """Is this error the one to report?"""
        if not is_transient(error):
            return True
        left = self._policy.patience_s - paused
        if asks_to_wait(error) > max(left, 0):
            return True
        if attempt < (attempts or self._policy.attempts):
            return False
        return attempts is not None or left <= 0 or not is_busy(error)
