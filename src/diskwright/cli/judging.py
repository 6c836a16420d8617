"""What `validate` tells as it goes on, and what it keeps for the reports at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from diskwright.cli.session import Session, path_text
from diskwright.errors import DiskwrightError, ValidationFailed
from diskwright.report.json import validated_result
from diskwright.report.judged import Judged, Standing, standing
from diskwright.report.many import line_text, total_text
from diskwright.report.stats import stats_value
from diskwright.report.text import validated_text

if TYPE_CHECKING:
    from diskwright.model.finding import Accepted
    from diskwright.model.outcome import Validated


class Telling:
    """`whole`: all of each disk is told, else a line. With `keep` all are `judged` at the end.

    Facts are large, and many: they are kept only where a report or the document asks for them.
    """

    def __init__(
        self, session: Session, *, strict: bool, whole: bool, keep: bool, stats: bool = False
    ) -> None:
        self._session = session
        self._strict = strict
        self._whole = whole
        self._keep = keep
        self._stats = stats
        self._standings: list[Standing] = []
        self._waived: set[str] = set()
        self.judged: list[Judged] = []

    def tell(self, path: str, disk: str, outcome: Validated | DiskwrightError) -> None:
        one = Judged(path, disk, outcome)
        self._standings.append(standing(one, strict=self._strict))
        if self._keep:
            self.judged.append(one)
        with self._session.reporting(path, disk):
            if isinstance(outcome, DiskwrightError):
                raise outcome
            self._found(one, outcome)
        if not self._whole:
            colour = self._session.colour()
            self._session.say(line_text(one, strict=self._strict, colour=colour))

    def _found(self, one: Judged, found: Validated) -> None:
        session, strict = self._session, self._strict
        if self._whole:
            colour = session.colour()
            session.say(validated_text(found, one.image, strict=strict, colour=colour))
        if self._stats:
            session.tell_cost(one.label, found.cost)
        if session.output == "json":
            result = validated_result(path_text(one.image), found, None, strict=strict)
            if self._stats:
                result["stats"] = stats_value(found.cost)
            session.results.append(result)
        against = found.verdict.standing(strict=strict)
        if against:
            session.failures.append(ValidationFailed(one.label, len(against)))
        verdict = found.verdict
        self._waived |= {entry.id for entry in (*verdict.accepted, *verdict.expired)}

    def end(self, waivers: tuple[Accepted, ...]) -> None:
        """The summary, and a word on what was accepted and stood against no disk."""
        if not self._whole:
            self._session.say(total_text(self._standings, colour=self._session.colour()))
        if set(self._standings) == {Standing.NOT_JUDGED}:
            return
        for entry in waivers:
            if entry.id not in self._waived:
                click.echo(f"diskwright: note: --accept {entry.id}: nothing to accept", err=True)
