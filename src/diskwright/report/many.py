"""Many disks judged in one call: a line each, and what it comes to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from diskwright.errors import DiskwrightError
from diskwright.model.finding import Finding
from diskwright.model.text import printable
from diskwright.report.judged import PAINTED, Judged, Standing
from diskwright.report.style import painted
from diskwright.report.text import summary_text

_SHOWN = 4  # findings by id, in a line


def line_text(one: Judged, *, strict: bool = False, colour: bool = False) -> str:
    """What it comes to, and what stands against an import, by id."""
    if isinstance(one.outcome, DiskwrightError):
        word = Standing.NOT_JUDGED
        said = printable(f"{word}: {one.outcome.kind} [{one.outcome.code}]")
        return printable(f"{one.label}: ") + painted(said, PAINTED[word], colour=colour)
    verdict = one.outcome.verdict
    line = summary_text(one.label, verdict, strict=strict, colour=colour)
    against = verdict.standing(strict=strict)
    return f"{line}: {_ids(against)}" if against else line


def _ids(findings: tuple[Finding, ...]) -> str:
    named = ", ".join(finding.id for finding in findings[:_SHOWN])
    more = len(findings) - _SHOWN
    return printable(named + (f" and {more} more" if more > 0 else ""))


def total_text(judged: Iterable[Standing], *, colour: bool = False) -> str:
    """The last lines: how many of each, and how to see more."""
    count = Counter(judged)
    total = sum(count.values())
    worst = next((word for word in Standing if count[word]), Standing.READY)
    said = ", ".join(f"{count[word]} {word}" for word in reversed(Standing) if count[word])
    head = f"{total} image{'s' if total != 1 else ''}: "
    text = head + painted(said, PAINTED[worst], colour=colour)
    if worst is not Standing.READY:
        text += "\nwhat to do: diskwright validate IMAGE of one, or --report html=FILE of all"
    return text
