"""How often and how long one request is tried: the only place that decides it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from diskwright.adapters.s3.errors import is_transient, translate
from diskwright.adapters.s3.patience import Patience
from diskwright.ports import CancelToken

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Attempt n is followed by a pause drawn evenly from 0 to min(cap, first * 2^(n-1)).

    Full jitter: clients that failed together do not come back together.
    """

    attempts: int = 6
    first_pause_s: float = 0.25
    longest_pause_s: float = 8.0
    pause: Callable[[float], None] = time.sleep

    def wait(self, attempt: int) -> None:
        """After attempt number `attempt`, from 1."""
        longest = min(self.longest_pause_s, self.first_pause_s * 2 ** (attempt - 1))
        self.pause(random.uniform(0, longest))  # noqa: S311 - a pause is no secret


class Caller:
    """Sends, sends again what may go better, and gives errors as ours.

    With `cancel` no call outlasts the user's wish to stop (see `Patience`).
    """

    def __init__(
        self,
        policy: RetryPolicy,
        *,
        endpoint: str,
        bucket: str,
        cancel: CancelToken | None = None,
    ) -> None:
        self._policy = policy
        self.patience = Patience(cancel, endpoint=endpoint)
        self._endpoint = endpoint
        self._bucket = bucket

    def __call__(
        self, operation: str, key: str, send: Callable[[], T], *, attempts: int | None = None
    ) -> T:
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.parsers import ResponseParserError

        attempt = 1
        clean_up = self.patience.asked_to_stop
        while True:
            try:
                return self.patience(send)
            except (BotoCoreError, ClientError, ResponseParserError) as error:
                if not clean_up:
                    self.patience.look()  # it may have failed because of the wish to stop
                if (
                    clean_up
                    or attempt >= (attempts or self._policy.attempts)
                    or not is_transient(error)
                ):
                    raise translate(
                        error,
                        endpoint=self._endpoint,
                        bucket=self._bucket,
                        operation=operation,
                        key=key,
                    ) from error
            self.patience(partial(self._policy.wait, attempt))
            attempt += 1
