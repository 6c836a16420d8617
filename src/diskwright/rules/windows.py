"""What only a Windows has: hibernation, restarts that it waits for."""

from __future__ import annotations

from collections.abc import Callable

from diskwright.model.finding import Result, Severity
from diskwright.model.guest import Section
from diskwright.model.windows import Hibernation, WindowsFacts
from diskwright.rules import sources
from diskwright.rules.rule import (
    Case,
    Outcome,
    Rule,
    breaks,
    holds,
    of_registry,
    skip,
    unread,
    unread_section,
)

_NO_HIBERNATION = ("powercfg /hibernate off", "Stop-Computer -Force")
_RESTART = ("Restart-Computer -Force", "# once it is up again:", "Stop-Computer -Force")

_Judge = Callable[[Case, WindowsFacts], Outcome]


def of_windows(judge: _Judge) -> Callable[[Case], Outcome]:
    def check(case: Case) -> Outcome:
        if case.guest.windows is not None:
            return judge(case, case.guest.windows)
        if case.guest.root is None:
            return unread_section(case, Section.ROOT, "the root file system")
        return skip("the guest is no Windows")

    return of_registry(check)


def _hibernated(case: Case, windows: WindowsFacts) -> Outcome:
    state = windows.hibernation
    if state is None:
        return unread_section(case, Section.WINDOWS, "hiberfil.sys")
    if state is Hibernation.UNKNOWN:
        return unread("hiberfil.sys begins with what is not known")
    if state is Hibernation.SAVED:
        return breaks(
            "Windows is hibernated: it goes on with the old machine's memory, on other devices",
            ("hiberfil.sys holds a saved state",),
            _NO_HIBERNATION,
        )
    if state is Hibernation.EMPTY and windows.fast_startup is None:
        return unread_section(case, Section.WINDOWS, "whether fast startup is on")
    if state is Hibernation.EMPTY and windows.fast_startup:
        return breaks(
            "fast startup is on: at its next shutdown Windows hibernates",
            ("HiberbootEnabled=1", "hiberfil.sys is there, without a saved state"),
            _NO_HIBERNATION,
            result=Result.WARN,
        )
    return holds("Windows was shut down, and not hibernated")


def _pending(case: Case, windows: WindowsFacts) -> Outcome:
    if windows.pending_reboot is None:
        return unread_section(case, Section.WINDOWS, "whether a restart is waited for")
    if windows.pending_reboot:
        return breaks(
            "Windows waits for a restart to end what it has begun", windows.pending_reboot, _RESTART
        )
    return holds("Windows waits for no restart")


RULES = (
    Rule(
        "disk.windows-hibernated",
        "Windows was shut down, and not hibernated",
        "A saved state belongs to the machine that saved it. What is on the disk beside it is not "
        "what Windows will go on with, and nobody else may write there. With fast startup every "
        "shutdown hibernates.",
        sources.HIBERNATION,
        of_windows(_hibernated),
        remedy=_NO_HIBERNATION,
    ),
    Rule(
        "os.pending-reboot",
        "Windows waits for no restart",
        "Every server made from the image ends the old machine's updates at its first start, which "
        "takes long, and fails on all of them at once if it fails.",
        sources.PENDING,
        of_windows(_pending),
        Result.WARN,
        Severity.LOW,
        remedy=_RESTART,
    ),
)
