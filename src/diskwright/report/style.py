"""Colours for a terminal, on request only."""

from __future__ import annotations

from diskwright.model.finding import Result

_CODES = {Result.FAIL: "31;1", Result.WARN: "33", Result.UNKNOWN: "35", Result.PASS: "32"}


def painted(text: str, result: Result, *, colour: bool) -> str:
    """SGR colour by ECMA-48 section 8.3.117."""
    code = _CODES.get(result)
    return f"\x1b[{code}m{text}\x1b[0m" if colour and code else text
