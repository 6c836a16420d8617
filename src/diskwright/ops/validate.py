"""validate: facts of a file and of its guest, and what the rules say of them."""

from __future__ import annotations

from collections.abc import Sequence

from diskwright._values import replace
from diskwright.errors import UsageError
from diskwright.model.finding import Accepted, Result, Verdict
from diskwright.model.guest import GuestFacts
from diskwright.model.outcome import Validated
from diskwright.model.profile import Minimum, Profile
from diskwright.ops.opening import Source
from diskwright.ports import GuestInspector, OsDatabase
from diskwright.rules import judge, known_rule_ids
from diskwright.rules.explain import near


def check_accepted(accepted: Sequence[Accepted]) -> None:
    """Raises UsageError for an id that no rule has, or a waiver without a reason."""
    known = known_rule_ids()
    for entry in accepted:
        if entry.id not in known:
            meant = " or ".join(near(entry.id))
            hint = f"perhaps {meant}" if meant else "all of them: docs/rules.md"
            raise UsageError(f"--accept {entry.id}: no rule has that id", hint)
        if not entry.reason.strip():
            raise UsageError(f"--accept {entry.id} needs a reason", "add --reason TEXT")


def minimum_of(guest: GuestFacts, database: OsDatabase) -> Minimum | None:
    """Least memory and disk of the guest's system; None where either is not known."""
    if guest.os is None:
        return None
    architecture = guest.architecture or guest.os.architecture
    if architecture is None:
        return None
    return database.minimum(guest.os.id, guest.os.version_id, architecture)


def verdict_of(
    source: Source,
    guest: GuestFacts,
    *,
    profile: Profile,
    database: OsDatabase,
    data: bool,
    min_memory: int | None,
    accepted: Sequence[Accepted],
    today: str,
) -> Verdict:
    """`today` as `YYYY-MM-DD`: what is accepted by a person or by the profile may have ended."""
    check_accepted(accepted)
    said = (*accepted, *profile.accepted)
    verdict = judge(
        source.facts,
        guest,
        profile,
        minimum=minimum_of(guest, database),
        database_date=database.date,
        data=data,
        min_memory=min_memory,
    )
    against = {Result.FAIL, Result.WARN, Result.UNKNOWN}
    waivable = {finding.id for finding in verdict.findings if finding.result in against}
    in_force = {entry.id: entry for entry in reversed(said) if entry.counts_on(today)}
    ended = {entry.id: entry for entry in said if entry.id not in in_force}
    return replace(
        verdict,
        accepted=tuple(entry for name, entry in sorted(in_force.items()) if name in waivable),
        expired=tuple(entry for name, entry in sorted(ended.items()) if name in waivable),
    )


def validate(
    source: Source,
    *,
    inspector: GuestInspector,
    profile: Profile,
    database: OsDatabase,
    data: bool = False,
    min_memory: int | None = None,
    accepted: Sequence[Accepted] = (),
    today: str = "",
) -> Validated:
    """Facts and findings; what stands against an import is for the caller to act upon.

    A package's further disk is judged as one for data, whatever `data` says.
    """
    data = data or source.further
    guest, cost = inspector.measured(source.disk)
    source.unchanged()
    verdict = verdict_of(
        source,
        guest,
        profile=profile,
        database=database,
        data=data,
        min_memory=min_memory,
        accepted=accepted,
        today=today,
    )
    return Validated(source.path, source.facts, guest, verdict, source.name, data, cost)
