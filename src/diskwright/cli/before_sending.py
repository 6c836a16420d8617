"""What `prepare` and `image create` tell of disks that are judged before anything is sent."""

from __future__ import annotations

from diskwright.cli.session import Session, path_text
from diskwright.model.finding import Result, Verdict
from diskwright.model.outcome import Validated
from diskwright.report.json import validated_result
from diskwright.report.text import validated_text

_SHOWN = {Result.FAIL, Result.WARN, Result.UNKNOWN}


class Judging:
    """`judged` is told of each disk; `verdicts` are those of all so far."""

    def __init__(self, session: Session, image: str, *, strict: bool) -> None:
        self._session = session
        self._image = image
        self._strict = strict
        self.verdicts: list[Verdict] = []

    def judged(self, found: Validated) -> None:
        session, strict = self._session, self._strict
        self.verdicts.append(found.verdict)
        if any(finding.result in _SHOWN for finding in found.verdict.findings):
            colour = session.colour()
            session.say(validated_text(found, self._image, strict=strict, colour=colour))
        if found.verdict.standing(strict=strict):
            where = path_text(self._image)
            session.results.append(validated_result(where, found, None, strict=strict))
