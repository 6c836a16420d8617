"""Findings as text: what fails first, each with its evidence and what to do.

Whatever a guest or a manifest wrote goes through `printable`, so that it can't move the cursor.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from diskwright.model.finding import Accepted, Finding, Result, Verdict
from diskwright.model.outcome import Inspected, Validated
from diskwright.model.text import printable
from diskwright.report.facts import facts_text
from diskwright.report.style import painted

_SHOWN = (Result.FAIL, Result.WARN, Result.UNKNOWN)
_LABEL_WIDTH = 8


def inspected_text(found: Inspected, name: str) -> str:
    return facts_text(name, found.image, found.guest)


def validated_text(
    found: Validated, name: str, *, strict: bool = False, colour: bool = False
) -> str:
    return verdict_text(name, found.verdict, strict=strict, colour=colour)


def verdict_text(name: str, verdict: Verdict, *, strict: bool = False, colour: bool = False) -> str:
    """The findings of the image `name`, worst first; passes in one line; last what it comes to.

    What was not read is told in a line each: there is nothing to mend, and there may be many.
    """
    accepted = {entry.id: entry for entry in verdict.accepted}
    blocks = [
        _finding(finding, accepted.get(finding.id), colour=colour)
        for finding in verdict.findings
        if finding.result in _SHOWN
    ]
    for result in (Result.PASS, Result.SKIP):
        names = [f.id for f in verdict.findings if f.result is result]
        if names:
            said = printable(f"{len(names)}: {', '.join(names)}")
            blocks.append(_label(result, colour=colour) + said)
    return "\n".join([*blocks, _summary(name, verdict, strict=strict, colour=colour)])


def _finding(finding: Finding, accepted: Accepted | None, *, colour: bool) -> str:
    head = _label(finding.result, colour=colour)
    if finding.result is Result.UNKNOWN:
        lines = [head + printable(f"{finding.id}: {finding.message}")]
    else:
        lines = [head + printable(finding.id), _indented(finding.message)]
    lines += [_indented(f"at: {line}") for line in _lines(finding.evidence)]
    lines += [_indented(f"do: {line}") for line in _lines(finding.remedy)]
    if finding.source and finding.result is not Result.UNKNOWN:
        lines.append(_indented(f"see: {finding.source}"))
    if accepted is not None:
        lines.append(_indented(f"accepted: {accepted.reason}"))
    return "\n".join(lines)


def _label(result: Result, *, colour: bool) -> str:
    return painted(f"{result.upper():<{_LABEL_WIDTH}}", result, colour=colour)


def _indented(text: str) -> str:
    return " " * _LABEL_WIDTH + printable(text)


def _lines(text: str) -> Iterable[str]:
    return text.split("\n") if text else ()


def _summary(name: str, verdict: Verdict, *, strict: bool, colour: bool) -> str:
    count = Counter(finding.result for finding in verdict.findings)
    against = len(verdict.standing(strict=strict))
    result = Result.FAIL if against else Result.PASS
    word = "not ready" if against else "ready"
    numbers = ", ".join(f"{count[r]} {r}" for r in Result if count[r])
    said = f"{word} for {verdict.profile}: {numbers}"
    if verdict.accepted:
        said += f"; {len(verdict.accepted)} accepted"
    return printable(f"{name}: ") + painted(printable(said), result, colour=colour)
