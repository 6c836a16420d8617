"""One rule as text, for `validate --explain`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from diskwright.model import codec
from diskwright.model.rule import RuleText
from diskwright.model.text import printable

_KEY_WIDTH = 13


def explained_text(rule: RuleText, profile: str) -> str:
    """One fact a line, `key value`; lines without a key go on with the one above. The remedy comes
    last, without anything before it, to be copied.
    """
    breach = f"{rule.result} for {profile}, {rule.severity} severity"
    rows = [
        ("rule", rule.id),
        ("holds if", rule.title),
        ("why", rule.why),
        ("a breach is", breach),
        *([("mended by", f"the service, at the import: {rule.mends}")] if rule.mends else []),
        *([("refused as", rule.refusal)] if rule.refusal else []),
        ("judges", "system and data disks" if rule.for_data else "system disks"),
        ("source", rule.source),
    ]
    lines = [f"{key:<{_KEY_WIDTH}}{printable(value)}" for key, value in rows]
    return "\n".join([*lines, *_remedy(rule.remedy)])


def _remedy(remedy: Iterable[str]) -> list[str]:
    lines = [printable(line) for line in remedy]
    return ["remedy", *(f"  {line}" for line in lines)] if lines else []


def explained_result(rule: RuleText) -> dict[str, Any]:
    """A result of the JSON document, of no image."""
    return {
        "image": None,
        "facts": None,
        "findings": [],
        "error": None,
        "rule": codec.encode(rule),
    }
