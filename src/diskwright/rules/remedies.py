"""What to do on a Linux and on a Windows about the same fault."""

from __future__ import annotations

from diskwright.rules.rule import Case, by_system


def shut_down(case: Case) -> tuple[str, ...]:
    return by_system(
        case,
        linux=("# start the machine once more and shut it down:", "poweroff"),
        windows=("chkdsk C: /scan", "Stop-Computer -Force"),
    )


def check_filesystems(case: Case) -> tuple[str, ...]:
    return by_system(
        case,
        linux=("# from a rescue system: fsck -f /dev/vdaN",),
        windows=("chkdsk C: /f   # at the next start",),
    )


def make_room(case: Case) -> tuple[str, ...]:
    return by_system(
        case,
        linux=("# remove what is not needed; caches first:", "du -xh / | sort -h | tail -20"),
        windows=("Dism /Online /Cleanup-Image /StartComponentCleanup", "cleanmgr"),
    )
