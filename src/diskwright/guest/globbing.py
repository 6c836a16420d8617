"""Names of files by the patterns of glob(7) and fnmatch(3), which an image may make very long."""

from __future__ import annotations

import re
from collections.abc import Callable
from fnmatch import translate

from diskwright.guest.reading import Unreadable

MAX_NAME = 255  # bytes, as of any file system
_STARS = re.compile(r"\*{2,}")


def is_name(part: str) -> bool:
    """Whether a file can have it: what is longer is the name of nothing."""
    return len(part.encode("utf-8", "surrogateescape")) <= MAX_NAME


def matcher(pattern: str) -> Callable[[str], bool]:
    """Whether a name fits. Raises Unreadable for a pattern that is longer than any name."""
    short = _STARS.sub("*", pattern)
    if len(short) > MAX_NAME:
        raise Unreadable("too-large", f"a pattern has more than {MAX_NAME} characters")
    fits = re.compile(translate(short)).match
    return lambda name: fits(name) is not None
