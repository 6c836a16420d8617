"""What only a Windows has: hibernation, restarts that it waits for."""

from __future__ import annotations

from collections.abc import Callable

from diskwright.model.finding import Result, Severity
from diskwright.model.guest import Section
from diskwright.model.text import printable
from diskwright.model.windows import Hibernation, WindowsFacts
from diskwright.rules import sources
from diskwright.rules.boot import BCDBOOT
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
    """A check of what its registry says."""
    return of_registry(_on_windows(judge))


def _on_windows(judge: _Judge) -> Callable[[Case], Outcome]:
    def check(case: Case) -> Outcome:
        if case.guest.windows is not None:
            return judge(case, case.guest.windows)
        if case.guest.root is None:
            return unread_section(case, Section.ROOT, "the root file system")
        return skip("the guest is no Windows")

    return check


def _store(case: Case, _: WindowsFacts) -> Outcome:
    loader = case.guest.bootloader
    if loader is None:
        return unread_section(case, Section.BOOT, "the boot configuration store")
    if loader.config is not None:
        return holds(f"{printable(loader.config)} is there")
    if case.guest.why_unread(Section.BOOT) or loader.bios is None or loader.uefi is None:
        return unread_section(case, Section.BOOT, "the boot configuration store")
    if not loader.uefi:
        return skip("that nothing starts it is told by boot.bootloader-missing")
    return breaks(
        "the boot manager is on the EFI system partition, and its configuration store is not",
        (
            "EFI/Microsoft/Boot/BCD is missing",
            *(f"there is: {path}" for path in loader.esp_loaders),
        ),
        BCDBOOT,
    )


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
        "boot.windows-bcd-missing",
        "The boot manager of Windows has its configuration store",
        "Without the store (BCD) it knows no Windows: it stops with 0xc000000f or 0xc0000098.",
        sources.BCD,
        _on_windows(_store),
        remedy=BCDBOOT,
    ),
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
