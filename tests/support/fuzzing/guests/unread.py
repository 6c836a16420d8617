"""No rule passes on what was not read: which rules hang on which section.

Which do is seen on good facts: a rule that passes, and no longer once a section is taken away,
hangs on it; and so does one whose known fault (`support.faults`) stands in that section.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from diskwright._values import replace
from diskwright.model.finding import Result
from diskwright.model.guest import GuestFacts, InitramfsState, Section, Unread
from diskwright.rules import judge
from support.faults import FAULTS
from support.good_facts import (
    BIOS,
    DATE,
    EXTLINUX,
    IMAGE,
    MINIMUM,
    PROFILE,
    SYSTEMD,
    UEFI,
    entry,
)

_NAMED = {Section.BOOT: "bootloader", Section.LEFT: "left"}
FIELDS = {
    one: _NAMED.get(one, one.value.replace("-", "_"))
    for one in Section
    if one is not Section.INITRAMFS
}
_OF_ROOT = (
    *(Section.ROOT, Section.OS, Section.FSTAB, Section.NETWORK, Section.CLOUD_INIT),
    *(Section.ACCOUNTS, Section.SSH, Section.LEFT, Section.CRYPTTAB, Section.SERVICES),
)
# Of these some facts may be told, and others not
PARTIAL = (Section.BOOT, Section.WINDOWS)
_GOOD = tuple(replace(facts, architecture="x86_64") for facts in (BIOS, UEFI, SYSTEMD, EXTLINUX))
# The architecture is a fact of its own, of which os-release has a copy; code that BIOS starts is
# itself of x86
_ALONE = {("boot.architecture", Section.OS), ("boot.mode", Section.OS)}


def results(facts: GuestFacts) -> dict[str, Result]:
    """What each rule says, by its id."""
    minimum = MINIMUM if facts.os is not None else None
    verdict = judge(IMAGE, facts, PROFILE, minimum=minimum, database_date=DATE)
    return {finding.id: finding.result for finding in verdict.findings}


def without(facts: GuestFacts, section: Section) -> GuestFacts:
    """Facts whose section was not read, with all that is not read then either."""
    gone = (section,)
    if section is Section.ROOT:
        gone = _OF_ROOT
    elif section is Section.FILESYSTEMS:
        gone = (*_OF_ROOT, section)
    elif section is Section.KERNELS:
        gone = (section, Section.INITRAMFS)
    nothing = {FIELDS[one]: None for one in gone if one is not Section.INITRAMFS}
    if section is Section.INITRAMFS and facts.kernels is not None:
        (first, *others) = facts.kernels
        assert first.initramfs is not None
        packed = replace(first.initramfs, state=InitramfsState.UNREAD, modules=())
        nothing = {"kernels": (replace(first, initramfs=packed), *others)}
    entries = tuple(Unread(one, "was not read") for one in gone)
    return replace(facts, unread=(*facts.unread, *entries), **nothing)


def without_menu(facts: GuestFacts) -> GuestFacts:
    """The loaders were seen, and the configuration could not be read."""
    loader = facts.bootloader
    assert loader is not None
    bare = replace(loader, config=None, entries=())
    return replace(facts, bootloader=bare, unread=(Unread(Section.BOOT, "was not read"),))


@cache
def hanging(section: Section) -> frozenset[str]:
    """The rules that say nothing good without `section`."""
    found: set[str] = set()
    for facts in _GOOD:
        before, after = results(facts), results(without(facts, section))
        found |= {rule for rule, said in before.items() if said is Result.PASS} & {
            rule for rule, said in after.items() if said is not Result.PASS
        }
    if section is not Section.BOOT:
        found |= {rule for rule, faulty in FAULTS.items() if _differ(section, faulty)}
    return frozenset(rule for rule in found if (rule, section) not in _ALONE)


def _differ(section: Section, faulty: list[tuple[GuestFacts, Result]]) -> bool:
    """Whether a fault is in this section alone."""
    for facts, _ in _faults(faulty):
        base = BIOS if facts.table == BIOS.table else UEFI
        changed = {name for name in _NAMES if getattr(facts, name) != getattr(base, name)}
        if changed == {FIELDS.get(section)}:
            return True
    return False


def _faults(faulty: list[tuple[GuestFacts, Result]]) -> list[tuple[GuestFacts, Result]]:
    """Those of a Linux that the rule finds."""
    bad = (Result.FAIL, Result.WARN)
    return [(facts, said) for facts, said in faulty if said in bad and facts.windows is None]


_NAMES = (*FIELDS.values(), "problems")


@cache
def hanging_on_menu() -> frozenset[str]:
    """The rules that say nothing good where only the boot loader's configuration was not read."""
    found: set[str] = set()
    for facts in _GOOD:
        before, after = results(facts), results(without_menu(facts))
        found |= {rule for rule, said in before.items() if said is Result.PASS} & {
            rule for rule, said in after.items() if said is not Result.PASS
        }
    for rule, faulty in FAULTS.items():
        loaders = [facts.bootloader for facts, _ in _faults(faulty) if facts.bootloader is not None]
        good = entry().entries
        if any(loader.entries != good for loader in loaders):
            found.add(rule)
    return frozenset(found)


def lies(facts: GuestFacts, said: dict[str, Result] | None = None) -> Iterator[str]:
    """What must not be: a pass that hangs on what was not read, or facts in such a section."""
    said = results(facts) if said is None else said
    passed = {rule for rule, result in said.items() if result is Result.PASS}
    for section in dict.fromkeys(one.section for one in facts.unread):
        rules = hanging(section)
        if section is Section.BOOT and facts.bootloader is not None:
            rules = hanging_on_menu()
        for rule in sorted(passed & rules):
            yield f"pass: {rule}, and {section} was not read: {facts.why_unread(section)}"
        if _kept(facts, section):
            yield f"facts: of {section}, which was not read: {facts.why_unread(section)}"


def _kept(facts: GuestFacts, section: Section) -> bool:
    """Of the kernels one's initramfs alone may be unread."""
    if section in PARTIAL:
        return False
    if section is Section.INITRAMFS:
        default = [k.initramfs for k in facts.kernels or () if k.default and k.initramfs]
        return facts.kernels is not None and not any(
            one.state is InitramfsState.UNREAD for one in default
        )
    return getattr(facts, FIELDS[section]) is not None
