"""What `validate` has found, of one disk or of many: what its reports are made from."""

from __future__ import annotations

from enum import StrEnum

from diskwright._values import Struct
from diskwright.errors import DiskwrightError
from diskwright.model.finding import Result, Verdict
from diskwright.model.outcome import Validated
from diskwright.model.rule import RuleText


class Standing(StrEnum):
    """What it comes to for a disk, in the words of the reports; the worst comes first."""

    NOT_JUDGED = "not judged"
    NOT_READY = "not ready"
    NOT_KNOWN = "not all read"
    READY = "ready"


class Judged(Struct, frozen=True):
    """One disk: `image` as its file was named, `disk` by its own name in a package, else empty;
    neither is fit to be shown as it is. `outcome` is what was found, or what stood in the way.
    """

    image: str
    disk: str
    outcome: Validated | DiskwrightError

    @property
    def label(self) -> str:
        return f"{self.image}: {self.disk}" if self.disk else self.image

    @property
    def found(self) -> Validated | None:
        return self.outcome if isinstance(self.outcome, Validated) else None

    @property
    def error(self) -> DiskwrightError | None:
        return self.outcome if isinstance(self.outcome, DiskwrightError) else None


class Judgement(Struct, frozen=True):
    """All of a run. `time` is when it ended, `version` that of diskwright, `rules` are all."""

    profile: str
    strict: bool
    judged: tuple[Judged, ...]
    rules: tuple[RuleText, ...]
    version: str
    time: str


def standing(one: Judged, *, strict: bool) -> Standing:
    if one.found is None:
        return Standing.NOT_JUDGED
    return verdict_standing(one.found.verdict, strict=strict)


def verdict_standing(verdict: Verdict, *, strict: bool) -> Standing:
    if verdict.ready(strict=strict):
        return Standing.READY
    return Standing.NOT_READY if verdict.standing(strict=strict) else Standing.NOT_KNOWN


# How each is painted
PAINTED = {
    Standing.NOT_JUDGED: Result.FAIL,
    Standing.NOT_READY: Result.FAIL,
    Standing.NOT_KNOWN: Result.UNKNOWN,
    Standing.READY: Result.PASS,
}
