"""Whatever facts a reader hands over, every rule answers, and the reports show it harmlessly."""

from __future__ import annotations

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from diskwright.model.finding import Result
from diskwright.model.guest import GuestFacts
from diskwright.model.image import ImageFacts
from diskwright.model.outcome import Validated
from diskwright.report.facts import facts_text
from diskwright.report.json import document, validated_result
from diskwright.report.text import verdict_text
from diskwright.rules import RULES, import_attributes, judge
from support.good_facts import PROFILE

QUICK = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None
)


def harmless(text: str) -> bool:
    return all(char.isprintable() or char == "\n" for char in text)


@QUICK
@given(image=st.from_type(ImageFacts), guest=st.from_type(GuestFacts))
def test_every_rule_answers_and_nothing_is_shown_raw(image: ImageFacts, guest: GuestFacts) -> None:
    verdict = judge(image, guest, PROFILE)
    assert {f.id for f in verdict.findings} == {rule.id for rule in RULES}
    assert all(f.message for f in verdict.findings)
    assert all(f.remedy for f in verdict.findings if f.result is Result.FAIL)
    assert harmless(verdict_text("disk", verdict))
    assert harmless(facts_text("disk", image, guest))
    shown = document(
        "validate", [validated_result("disk", Validated("/disk", image, guest, verdict), None)]
    )
    assert json.loads(shown)["results"][0]["image"] == "disk"


@QUICK
@given(image=st.from_type(ImageFacts), guest=st.from_type(GuestFacts))
def test_attributes_can_be_made_of_any_facts(image: ImageFacts, guest: GuestFacts) -> None:
    made = import_attributes("name", image, guest, PROFILE)
    assert made.architecture in PROFILE.architectures
    assert made.boot_mode in PROFILE.boot_modes
    assert made.min_disk_gib >= 40
