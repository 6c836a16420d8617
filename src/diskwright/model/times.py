"""Times as text, in UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime

LAST_TIME = 253_402_300_799  # 9999-12-31T23:59:59Z, the last that has a text


def day_text(seconds: float) -> str:
    """`YYYY-MM-DD` of seconds since 1970."""
    return time_text(int(seconds))[:10]


def checked_day(text: str) -> str:
    """`text` if it is a day `YYYY-MM-DD`. Raises ValueError."""
    try:
        if date.fromisoformat(text).isoformat() == text:
            return text
    except ValueError:
        pass
    raise ValueError(f"{text or 'nothing'} is no day as 2027-03-31")


def time_text(seconds: int) -> str:
    """`YYYY-MM-DDTHH:MM:SSZ` of seconds since 1970; `-` for what is past the year 9999."""
    if not 0 <= seconds <= LAST_TIME:
        return "-"
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds_of(text: str) -> float:
    """Seconds since 1970 of what `time_text` gave. Raises ValueError."""
    return datetime.fromisoformat(text).timestamp()


def is_time(text: str) -> bool:
    """Whether it is a time as `time_text` gives it."""
    try:
        found = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        return False
    return found.strftime("%Y-%m-%dT%H:%M:%SZ") == text
