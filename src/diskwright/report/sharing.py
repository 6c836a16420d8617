"""What is shared, and with whom, as text and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from diskwright.model import codec
from diskwright.model.library import Entry
from diskwright.model.sharing import Account, Given, Shares
from diskwright.model.text import printable
from diskwright.report.library_words import NOT_OPENED, called


def shares_text(found: Shares) -> str:
    """A line for each image and account."""
    lines = [_given(one) for one in found.given]
    lines += [
        f"{printable(called(one))} ({one.id}): from {printable(one.origin)}, {_state(one)}"
        for one in found.received
    ]
    return "\n".join(lines) or "Nothing is shared."


def _given(one: Given) -> str:
    whom = printable(one.account_name) or "account"
    state = one.state.value if one.offered else "not offered: repeat diskwright image share"
    name = printable(NOT_OPENED if one.name is None else one.name)
    return f"{name} ({one.image}): with {whom} ({printable(one.account)}), {state}"


def _state(one: Entry) -> str:
    state = one.received.value if one.received is not None else ""
    return "; ".join([state, *map(printable, one.warnings)])


def given_value(one: Given) -> dict[str, Any]:
    value: dict[str, Any] = codec.encode(one)
    return value


def received_value(one: Entry) -> dict[str, Any]:
    return {
        "image": one.id,
        "name": one.name,
        "origin": one.origin,
        "state": None if one.received is None else one.received.value,
        "warnings": list(one.warnings),
    }


def accounts_text(accounts: Sequence[Account]) -> str:
    """Two lines each: the fingerprint is what people compare."""
    lines = [
        f"{printable(one.name)}: {printable(one.label)}, account {one.id}\n"
        f"  fingerprint {one.fingerprint}"
        for one in accounts
    ]
    nothing = "No account is known here. Add one: diskwright account add NAME FILE.pub"
    return "\n".join(lines) or nothing
