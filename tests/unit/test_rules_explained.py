"""Every rule is explained, with the remedy that its findings give."""

from __future__ import annotations

import re

import pytest

from diskwright._values import replace
from diskwright.model.finding import Result
from diskwright.report.explained import explained_text
from diskwright.rules import RULES, judge
from diskwright.rules.explain import explained, near
from support.faults import FAULTS, IMAGE_FAULTS
from support.good_facts import BIOS, DATE, IMAGE, MINIMUM, PROFILE

TEXTS = {rule.id: rule for rule in explained(PROFILE)}
FAULTY = [(rule, guest, IMAGE) for rule, faults in FAULTS.items() for guest, _ in faults] + [
    (rule, BIOS, image) for rule, (image, _) in IMAGE_FAULTS.items()
]


def programs(lines: list[str]) -> set[str]:
    """What the commands among them call: `sed`, `update-grub`."""
    called = set()
    for line in lines:
        if not line.startswith("#"):
            called |= {part.split()[0] for part in re.split(r"&&|\|\|", line) if part.split()}
    return called


def test_all_are_explained_in_their_order():
    assert list(TEXTS) == [rule.id for rule in RULES]


@pytest.mark.parametrize("rule", TEXTS)
def test_every_rule_says_what_to_do(rule):
    """A rule without: give its `Rule(…)` a `remedy`, lines or a function of the case."""
    assert TEXTS[rule].remedy, f"{rule}: no remedy to explain"
    assert all(line.strip() == line for line in TEXTS[rule].remedy)


@pytest.mark.parametrize(("rule", "guest", "image"), FAULTY, ids=[one[0] for one in FAULTY])
def test_a_findings_commands_are_among_those_explained(rule, guest, image):
    verdict = judge(image, guest, PROFILE, minimum=MINIMUM, database_date=DATE)
    finding = next(f for f in verdict.findings if f.id == rule)
    assert programs(finding.remedy.split("\n")) <= programs(list(TEXTS[rule].remedy))


def test_a_profile_decides_what_a_breach_is():
    milder = replace(PROFILE, severities={"boot.mode": "warn"}, sources={"boot.mode": "a book"})
    (rule,) = [rule for rule in explained(milder) if rule.id == "boot.mode"]
    assert (rule.result, rule.source) == (Result.WARN, "a book")
    text = explained_text(rule, "mild")
    assert "a breach is  warn for mild, high severity\n" in text
    assert "source       a book\nremedy\n" in text


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("boot.fstab-device", "boot.fstab-device-name"),
        ("fstab-device-name", "boot.fstab-device-name"),
        ("Boot.Mode", "boot.mode"),
        ("virtio", "boot.initramfs-no-virtio"),
        ("net-static-adress", "network.net-static-address"),
    ],
)
def test_a_slip_names_what_was_meant(written, meant):
    assert meant in near(written)


def test_what_is_like_nothing_names_nothing():
    assert near("xyzzy") == ()
    assert near("") == ()
    assert len(near("boot.")) <= 5
