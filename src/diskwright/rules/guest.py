"""The guest's own statements, and links that lead astray."""

from __future__ import annotations

from collections.abc import Callable

from diskwright.model.finding import Result, Severity
from diskwright.model.guest import Section
from diskwright.rules import sources
from diskwright.rules.rule import Case, Outcome, Rule, breaks, holds, unread_section

_OS_RELEASE = "os-release-missing"
_INSTALL_AGAIN = ("# install it again: package base-files, or the distribution's -release package",)
_LINK_ANEW = ("ls -l FILE   # then make it anew: ln -sfn TARGET FILE",)


def _os_release(case: Case) -> Outcome:
    found = [p for p in case.guest.problems if p.code == _OS_RELEASE]
    if found:
        return breaks(
            "there is no os-release: the service can't tell which system this is",
            (p.detail for p in found),
            _INSTALL_AGAIN,
        )
    if case.guest.os is None:
        return unread_section(case, Section.OS, "os-release")
    return holds("os-release says which system this is")


def _link(code: str, good: str) -> Callable[[Case], Outcome]:
    def check(case: Case) -> Outcome:
        found = [p for p in case.guest.problems if p.code == code]
        if found:
            return breaks(
                "a link in the guest leads astray; it was followed inside the guest only",
                (p.detail for p in found),
                _LINK_ANEW,
            )
        if case.guest.root is None:
            return unread_section(case, Section.ROOT, "the root file system")
        return holds(good)

    return check


RULES = (
    Rule(
        "os.os-release-missing",
        "The guest says which system it is",
        "Without it neither the service nor diskwright knows the system and its least memory.",
        sources.OS_RELEASE,
        _os_release,
        Result.WARN,
        Severity.MEDIUM,
        remedy=_INSTALL_AGAIN,
        linux_only=True,
    ),
    Rule(
        "guest.guest-link-escapes",
        "No link that was read climbs out of the guest",
        "Such a link is an error, or is meant to make a tool read a file of its own machine.",
        sources.SYMLINKS,
        _link("guest-link-escapes", "no link that was followed climbs out of the guest"),
        Result.WARN,
        Severity.MEDIUM,
        remedy=_LINK_ANEW,
    ),
    Rule(
        "guest.guest-link-loop",
        "No link that was read leads back to itself",
        "The file behind it can be read by nobody.",
        sources.SYMLINKS,
        _link("guest-link-loop", "every link that was followed ends"),
        Result.WARN,
        Severity.LOW,
        remedy=_LINK_ANEW,
    ),
)
