"""The rules in words, under a profile."""

from __future__ import annotations

from difflib import get_close_matches

from diskwright.model.finding import Result
from diskwright.model.guest import GuestFacts
from diskwright.model.image import ImageFacts, ImageFormat
from diskwright.model.profile import Profile
from diskwright.model.rule import RuleText
from diskwright.rules.registry import RULES
from diskwright.rules.rule import Case, Rule

_NEAR = 5
_LIKENESS = 0.6

_NOTHING_READ = ImageFacts(ImageFormat.RAW, virtual_size=0, file_size=0, exact_size=0)


def explained(profile: Profile) -> tuple[RuleText, ...]:
    """All of them, in their order."""
    case = Case(_NOTHING_READ, GuestFacts(), profile)
    return tuple(_text(rule, case) for rule in RULES)


def _text(rule: Rule, case: Case) -> RuleText:
    profile = case.profile
    return RuleText(
        id=rule.id,
        title=rule.title,
        why=rule.why,
        source=rule.written(case),
        result=_result(rule, profile),
        severity=rule.severity,
        for_data=rule.for_data,
        remedy=rule.remedy if isinstance(rule.remedy, tuple) else rule.remedy(case),
        mends=profile.mends.get(rule.id, ""),
        refusal=profile.refusals.get(rule.id, ""),
    )


def _result(rule: Rule, profile: Profile) -> Result:
    found = Result(profile.severities.get(rule.id, rule.otherwise))
    return Result.WARN if found is Result.FAIL and rule.id in profile.mends else found


def near(wanted: str) -> tuple[str, ...]:
    """Ids that someone who wrote `wanted` may have meant, the likeliest first; at most five.

    By their spelling, with or without the family; or because they begin with it or hold it.
    """
    ids = [rule.id for rule in RULES]
    asked = wanted.lower()
    names = {identity.partition(".")[2]: identity for identity in ids}
    alike = get_close_matches(asked, ids, _NEAR, _LIKENESS)
    alike += [names[name] for name in get_close_matches(asked, names, _NEAR, _LIKENESS)]
    holding = [identity for identity in ids if asked and asked in identity]
    return tuple(dict.fromkeys([*alike, *holding]))[:_NEAR]
