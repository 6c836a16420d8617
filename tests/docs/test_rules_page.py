"""docs/rules.md says what the rules say."""

from __future__ import annotations

from pathlib import Path

from diskwright.rules.docs import markdown

PAGE = Path(__file__).parents[2] / "docs" / "rules.md"


def test_the_page_of_rules_is_current() -> None:
    assert PAGE.read_text() == markdown(), "scripts/pages writes it anew"
