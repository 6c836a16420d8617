"""What a rule returns, and a report of all of them."""

from __future__ import annotations

from enum import StrEnum

from diskwright._values import Struct


class Result(StrEnum):
    FAIL = "fail"  # the import would be refused, or the server would not boot or be reached
    WARN = "warn"  # it works, and someone will regret it
    UNKNOWN = "unknown"  # could not be read: never counted as a pass
    PASS = "pass"  # noqa: S105 - a verdict, not a password
    SKIP = "skip"  # does not apply to this disk


class Severity(StrEnum):
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Finding(Struct, frozen=True):
    """`id` is `family.name`; `remedy` is what to do, as commands for the guest where it can be."""

    id: str
    result: Result
    severity: Severity
    message: str
    evidence: str = ""  # file and line, key and value
    remedy: str = ""
    source: str = ""  # where the requirement is written


class Accepted(Struct, frozen=True):
    """A failure taken into account by a person.

    `until` is the last day on which that counts, `YYYY-MM-DD` in UTC; empty: as long as it is said.
    """

    id: str
    reason: str
    until: str = ""

    def counts_on(self, day: str) -> bool:
        return not self.until or day <= self.until


class Verdict(Struct, frozen=True):
    """Findings of one disk under one profile, worst first.

    `expired` was accepted once, and stands against it again.
    """

    profile: str
    findings: tuple[Finding, ...]
    accepted: tuple[Accepted, ...] = ()
    expired: tuple[Accepted, ...] = ()

    def standing(self, *, strict: bool = False) -> tuple[Finding, ...]:
        """What stands against an import: failures, with `strict` warnings and unknowns too."""
        against = {Result.FAIL, Result.WARN, Result.UNKNOWN} if strict else {Result.FAIL}
        waived = {entry.id for entry in self.accepted}
        return tuple(f for f in self.findings if f.result in against and f.id not in waived)

    def ready(self, *, strict: bool = False) -> bool:
        """Nothing stands against an import, and nothing was left unread."""
        unread = any(finding.result is Result.UNKNOWN for finding in self.findings)
        return not unread and not self.standing(strict=strict)
