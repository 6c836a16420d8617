"""What a rule is: a pure function over facts, with the words that explain it.

A rule answers with one of four outcomes. What it needs and was not read is `unread`, which never
becomes a pass. A fault that another rule reports already is `skip`, so that one fault is told once.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable
from enum import Enum, auto
from typing import TypeAlias

from diskwright._values import Struct, replace
from diskwright.model.finding import Result, Severity
from diskwright.model.guest import FileSystem, GuestFacts, Section
from diskwright.model.image import ImageFacts
from diskwright.model.profile import Minimum, Profile
from diskwright.model.text import printable


class Case(Struct, frozen=True):
    """All that a rule may look at. Sizes in bytes; `minimum` is None for an unknown system."""

    image: ImageFacts
    guest: GuestFacts
    profile: Profile
    minimum: Minimum | None = None
    database_date: str = ""
    data: bool = False
    min_memory: int | None = None


# Lines, or what makes them for a case of which only the profile is known
Remedy: TypeAlias = tuple[str, ...] | Callable[[Case], tuple[str, ...]]


class State(Enum):
    HOLDS = auto()
    BREAKS = auto()
    UNREAD = auto()
    SKIPPED = auto()


class Outcome(Struct, frozen=True):
    """`result` makes a breach milder than the rule's own result; `remedy` is a command a line.

    `source` is where this is written, if not where the rule is.
    """

    state: State
    message: str
    evidence: tuple[str, ...] = ()
    remedy: tuple[str, ...] = ()
    result: Result | None = None
    source: str = ""


class Rule(Struct, frozen=True):
    """`otherwise` is the finding's result where the rule does not hold and no profile says.

    `remedy` is what to do about a breach in general, before any disk was read; in capitals what
    only the disk tells. A finding's own remedy says more. `limit` is that of a profile which the
    rule is about, and whose source is then the rule's.
    """

    id: str
    title: str
    why: str
    source: str
    check: Callable[[Case], Outcome]
    otherwise: Result = Result.FAIL
    severity: Severity = Severity.HIGH
    for_data: bool = False  # holds for a data disk too
    remedy: Remedy = ()
    linux_only: bool = False
    windows_source: str = ""
    limit: str = ""

    @property
    def sources(self) -> str:
        """Of every system, where nobody knows which it is."""
        of_windows = f"; for Windows: {self.windows_source}" if self.windows_source else ""
        return self.source + of_windows

    def written(self, case: Case) -> str:
        """Where it is, for the target and the system."""
        of_target = case.profile.sources
        if said := of_target.get(self.id) or of_target.get(self.limit):
            return said
        if case.guest.windows is not None:
            return self.windows_source or self.source
        return self.source if case.guest.root is not None else self.sources


def holds(message: str, evidence: Iterable[object] = ()) -> Outcome:
    return Outcome(State.HOLDS, message, _lines(evidence))


def breaks(
    message: str,
    evidence: Iterable[object] = (),
    remedy: Iterable[str] = (),
    *,
    result: Result | None = None,
    source: str = "",
) -> Outcome:
    return Outcome(State.BREAKS, message, _lines(evidence), tuple(remedy), result, source)


def unread(reason: str, evidence: Iterable[object] = ()) -> Outcome:
    return Outcome(State.UNREAD, reason, _lines(evidence))


def skip(reason: str) -> Outcome:
    return Outcome(State.SKIPPED, reason)


def unread_section(case: Case, section: Section, what: str) -> Outcome:
    """`what` stayed unread: with the reason that the reader gave, if it gave one."""
    reason = case.guest.why_unread(section) or case.guest.why_unread(Section.ROOT)
    said = f"{what} could not be read"
    return unread(f"{said}: {reason}", (reason,)) if reason else unread(said)


def of_registry(check: Callable[[Case], Outcome]) -> Callable[[Case], Outcome]:
    """A check of what a Windows has in its registry: where changes in a hive's logs are not seen,
    nothing is sure to be good."""

    def judged(case: Case) -> Outcome:
        outcome = check(case)
        windows = case.guest.windows
        if windows is None or not windows.stale:
            return outcome
        reason = f"changes in the logs of {', '.join(windows.stale)} were not replayed"
        if outcome.state is State.HOLDS:
            return unread(f"{outcome.message}, but {reason}", outcome.evidence)
        if outcome.state is State.BREAKS:
            return replace(outcome, evidence=(*outcome.evidence, reason))
        return outcome

    return judged


def unread_minimum(case: Case, what: str) -> Outcome:
    """`what` of the system is not known: the system was not read, or is in no database."""
    if case.guest.os is None:
        return unread_section(case, Section.OS, what)
    date = case.database_date
    where = f"osinfo database of {date}" if date else "no osinfo database"
    return unread(f"{what} is not known ({where})")


def root_filesystem(guest: GuestFacts) -> FileSystem | None:
    """Of the file systems that were found; an index past them, which only a lie gives, is None."""
    filesystems = guest.filesystems or ()
    if guest.root is None or not 0 <= guest.root < len(filesystems):
        return None
    return filesystems[guest.root]


def quoted(value: str) -> str:
    """A guest's string as one word of a command that somebody may paste into a shell."""
    return shlex.quote(printable(value))


def powershell(value: str, instead: str) -> str:
    """A guest's string as one word of a PowerShell command, or `instead` where it is odd: there
    are more quotation marks than one can count."""
    return f"'{value}'" if re.fullmatch(r"[A-Za-z0-9 ._#(){}&-]{1,200}", value) else instead


def family(case: Case) -> str:
    """Which tools the guest has, by a key of _FAMILIES, or windows; empty where nobody knows."""
    if case.guest.windows is not None:
        return "windows"
    if case.guest.os is None:
        return ""
    names = {case.guest.os.id, *case.guest.os.like}
    for name, members in _FAMILIES.items():
        if names & members:
            return name
    return ""


_FAMILIES = {
    "debian": {"debian", "ubuntu"},
    "rhel": {"rhel", "fedora", "centos", "rocky", "almalinux", "ol", "openEuler"},
    "suse": {"suse", "sles", "opensuse", "opensuse-leap", "opensuse-tumbleweed"},
    "arch": {"arch", "archarm"},
    "alpine": {"alpine", "postmarketos"},
}
_TITLES = {
    "debian": "Debian, Ubuntu",
    "rhel": "RHEL, Rocky, Fedora",
    "suse": "SUSE",
    "arch": "Arch",
    "alpine": "Alpine",
    "windows": "Windows, in PowerShell",
}


def by_system(case: Case, *, linux: Iterable[str], windows: Iterable[str]) -> tuple[str, ...]:
    """The lines for a Windows, for a Linux, or for both where nobody knows."""
    if case.guest.windows is not None:
        return tuple(windows)
    if case.guest.root is not None:
        return tuple(linux)
    return (*linux, "# Windows, in PowerShell:", *windows)


def commands(
    case: Case,
    *,
    debian: Iterable[str],
    rhel: Iterable[str],
    suse: Iterable[str],
    arch: Iterable[str] | None = None,
    alpine: Iterable[str] | None = None,
    windows: Iterable[str] | None = None,
) -> tuple[str, ...]:
    """The lines for this guest, or for each kind of guest under a comment."""
    every = {
        "debian": debian,
        "rhel": rhel,
        "suse": suse,
        "arch": arch,
        "alpine": alpine,
        "windows": windows,
    }
    known = {name: tuple(lines) for name, lines in every.items() if lines is not None}
    chosen = known.get(family(case))
    if chosen is not None:
        return chosen
    return tuple(line for name, lines in known.items() for line in (f"# {_TITLES[name]}:", *lines))


def _lines(evidence: Iterable[object]) -> tuple[str, ...]:
    return tuple(str(item) for item in evidence)
