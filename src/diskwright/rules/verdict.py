"""Facts and a profile in, a verdict out."""

from __future__ import annotations

from collections.abc import Sequence

from diskwright.model.finding import Accepted, Finding, Result, Severity, Verdict
from diskwright.model.guest import GuestFacts
from diskwright.model.image import ImageFacts, ImageFormat
from diskwright.model.profile import Minimum, Profile
from diskwright.model.text import printable
from diskwright.rules.mended import mended
from diskwright.rules.registry import RULES
from diskwright.rules.rule import Case, Outcome, Rule, State, skip

_LINES_LIMIT = 40
_LINE_LIMIT = 1000  # characters
_RESULTS = (Result.FAIL, Result.WARN, Result.UNKNOWN, Result.PASS, Result.SKIP)
_SEVERITIES = (Severity.HIGH, Severity.MEDIUM, Severity.LOW)
_PLAIN = {State.HOLDS: Result.PASS, State.UNREAD: Result.UNKNOWN, State.SKIPPED: Result.SKIP}


# What is left to say of an install medium, which is no disk of anybody's
_OF_A_MEDIUM = frozenset({"image.format", "image.oddities"})


def judge(
    image: ImageFacts,
    guest: GuestFacts | None,
    profile: Profile,
    *,
    minimum: Minimum | None = None,
    database_date: str = "",
    data: bool = False,
    min_memory: int | None = None,
    accepted: Sequence[Accepted] = (),
) -> Verdict:
    """Findings worst first, one for each rule. With `data` only the rules of a data disk count.

    `min_memory` in bytes. Message, evidence and remedy are free of control characters; the lines
    of evidence and remedy are separated by newlines of ours.
    """
    case = Case(image, guest or GuestFacts(), profile, minimum, database_date, data, min_memory)
    findings = [_finding(rule, case) for rule in RULES if rule.for_data or not data]
    findings.sort(key=lambda f: (_RESULTS.index(f.result), _SEVERITIES.index(f.severity)))
    return Verdict(profile.name, tuple(findings), tuple(accepted))


def _finding(rule: Rule, case: Case) -> Finding:
    outcome = _outcome(rule, case)
    return Finding(
        id=rule.id,
        result=_result(rule, outcome, case),
        severity=rule.severity,
        message=_bounded(printable(outcome.message)) + _by_service(rule, outcome, case),
        evidence=_joined(outcome.evidence, more="… and {} more"),
        remedy=_joined(outcome.remedy, more="# … and {} more of this kind"),
        source=outcome.source or rule.written(case),
    )


def _outcome(rule: Rule, case: Case) -> Outcome:
    if case.image.format is ImageFormat.ISO and rule.id not in _OF_A_MEDIUM:
        return skip("an install medium is no disk, which image.format tells")
    if rule.linux_only and case.guest.windows is not None:
        return skip("the guest is a Windows")
    return rule.check(case)


def _joined(lines: Sequence[str], *, more: str) -> str:
    """Bounded, as a guest decides how many there are and how long."""
    shown = [_bounded(printable(line)) for line in lines[:_LINES_LIMIT]]
    if len(lines) > _LINES_LIMIT:
        shown.append(more.format(len(lines) - _LINES_LIMIT))
    return "\n".join(shown)


def _bounded(line: str) -> str:
    """A command that was cut could do harm: it becomes a comment."""
    return line if len(line) <= _LINE_LIMIT else f"# too long to show: {line[:_LINE_LIMIT]}…"


def _by_service(rule: Rule, outcome: Outcome, case: Case) -> str:
    """What the image service itself makes of a breach: it mends it, or refuses the image."""
    if outcome.state is not State.BREAKS:
        return ""
    if mends := mended(rule.id, case):
        return f"; the service mends it at the import: {mends}"
    refusal = case.profile.refusals.get(rule.id, "")
    return f"; as it is the service refuses it: {refusal}" if refusal else ""


def _result(rule: Rule, outcome: Outcome, case: Case) -> Result:
    if outcome.state is not State.BREAKS:
        return _PLAIN[outcome.state]
    said = case.profile.severities.get(rule.id)
    result = Result(said) if said else outcome.result or rule.otherwise
    return Result.WARN if result is Result.FAIL and mended(rule.id, case) else result
