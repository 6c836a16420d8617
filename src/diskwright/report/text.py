"""Findings as text: what fails first, each with its evidence and what to do.

Whatever a guest or a manifest wrote goes through `printable`, so that it can't move the cursor.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from diskwright._values import replace
from diskwright.model.finding import Accepted, Finding, Result, Verdict
from diskwright.model.outcome import Inspected, Validated
from diskwright.model.text import printable
from diskwright.report.facts import facts_text
from diskwright.report.iso import inspected_iso_text
from diskwright.report.style import painted

_TO_MEND = (Result.FAIL, Result.WARN)
_LABEL_WIDTH = 8


def disk_label(image: str, name: str) -> str:
    """How people know a disk: by its file and, in a package, by its own name."""
    return f"{image}: {name}" if name else image


def inspected_text(found: Inspected, image: str) -> str:
    """What a package says of itself is not among it: `package_text` tells that once."""
    name = disk_label(image, found.name)
    if found.iso is not None:
        iso = replace(found.iso.facts, problems=found.image.problems)
        return inspected_iso_text(replace(found.iso, facts=iso), name)
    facts = found.image
    if found.package is not None:
        said = found.package.problems
        facts = replace(facts, problems=tuple(p for p in facts.problems if p not in said))
    if found.deep is not None:  # explained there
        facts = replace(facts, features=(), snapshots=0)
    return facts_text(name, facts, found.guest)


def validated_text(
    found: Validated, image: str, *, strict: bool = False, colour: bool = False
) -> str:
    name = disk_label(image, found.name)
    text = verdict_text(name, found.verdict, strict=strict, colour=colour)
    if found.name and found.data:
        return printable(f"{name}: judged as a data disk") + "\n" + text
    return text


def verdict_text(name: str, verdict: Verdict, *, strict: bool = False, colour: bool = False) -> str:
    """The findings of the image `name`, worst first; passes in one line; last what it comes to.

    What was not read for one and the same reason is told together: nothing is to be mended there.
    """
    waivers = {entry.id: entry for entry in (*verdict.expired, *verdict.accepted)}
    blocks = [
        _finding(finding, waivers.get(finding.id), verdict, colour=colour)
        for finding in verdict.findings
        if finding.result in _TO_MEND
    ]
    unread = [finding for finding in verdict.findings if finding.result is Result.UNKNOWN]
    blocks += [_unread(group, colour=colour) for group in by_reason(unread)]
    for result in (Result.PASS, Result.SKIP):
        count = sum(1 for finding in verdict.findings if finding.result is result)
        if count:
            said = f"{count} rule{'s' if count > 1 else ''}, by id with --output json"
            blocks.append(_label(result, colour=colour) + said)
    return "\n".join([*blocks, summary_text(name, verdict, strict=strict, colour=colour)])


def _finding(finding: Finding, accepted: Accepted | None, verdict: Verdict, *, colour: bool) -> str:
    lines = [_label(finding.result, colour=colour) + printable(finding.id)]
    lines.append(_indented(finding.message))
    lines += [_indented(f"at: {line}") for line in _lines(finding.evidence)]
    lines += [_indented(f"do {where(finding, line)}: {line}") for line in _lines(finding.remedy)]
    if finding.source:
        lines.append(_indented(f"see: {finding.source}"))
    if accepted is not None:
        lines.append(_indented(accepted_text(accepted, ended=accepted in verdict.expired)))
    return "\n".join(lines)


def until_text(entry: Accepted) -> str:
    """What goes before the reason."""
    return f"until {entry.until}: " if entry.until else ""


def accepted_text(entry: Accepted, *, ended: bool) -> str:
    if ended:
        return f"was accepted until {entry.until}: {entry.reason}"
    return f"accepted: {until_text(entry)}{entry.reason}"


def where(finding: Finding, line: str) -> str:
    """A line of the remedy: for the guest it would do harm where this is read; our own commands are
    no use there, nor what a comment names of them.
    """
    ours = finding.id.startswith(("image.", "memory.")) or line.startswith("diskwright ")
    ours = ours or (line.startswith("# ") and ": diskwright " in line)
    return "here" if ours else "in the guest"


def by_reason(unread: Iterable[Finding]) -> Iterable[list[Finding]]:
    """Findings whose evidence is the same words, together; without evidence each alone."""
    groups: dict[str, list[Finding]] = {}
    for finding in unread:
        groups.setdefault(finding.evidence or f"\0{finding.id}", []).append(finding)
    return groups.values()


def _unread(group: list[Finding], *, colour: bool) -> str:
    head = _label(Result.UNKNOWN, colour=colour)
    if len(group) > 1:
        names = ", ".join(finding.id for finding in group)
        lines = [head + printable(f"{len(group)}: {names}")]
        shown = _lines(group[0].evidence)
    else:
        lines = [head + printable(f"{group[0].id}: {group[0].message}")]
        shown = [line for line in _lines(group[0].evidence) if line not in group[0].message]
    return "\n".join([*lines, *(_indented(f"not read: {line}") for line in shown)])


def _label(result: Result, *, colour: bool) -> str:
    return painted(f"{result.upper():<{_LABEL_WIDTH}}", result, colour=colour)


def _indented(text: str) -> str:
    return " " * _LABEL_WIDTH + printable(text)


def _lines(text: str) -> Iterable[str]:
    return text.split("\n") if text else ()


def summary_text(name: str, verdict: Verdict, *, strict: bool = False, colour: bool = False) -> str:
    """What the findings come to, in one line."""
    waived = {entry.id for entry in verdict.accepted}
    count = Counter(finding.result for finding in verdict.findings if finding.id not in waived)
    if verdict.ready(strict=strict):
        result, word = Result.PASS, f"ready for {verdict.profile}"
    elif verdict.standing(strict=strict):
        result, word = Result.FAIL, f"not ready for {verdict.profile}"
    else:
        result, word = Result.UNKNOWN, f"nothing known against {verdict.profile}, not all was read"
    said = f"{word}: " + ", ".join(f"{count[r]} {r}" for r in Result if count[r])
    if verdict.accepted:
        said += f"; {len(verdict.accepted)} accepted"
    return printable(f"{name}: ") + painted(printable(said), result, colour=colour)
