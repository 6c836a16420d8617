"""What the user asked for, or asked to stop."""

from __future__ import annotations

from diskwright.errors.base import DiskwrightError


class UsageError(DiskwrightError):
    problem: str
    hint_text: str = ""
    exit_code = 2
    kind = "usage"
    template = "{problem}"
    hint_template = "see diskwright COMMAND --help"


class ValidationFailed(DiskwrightError):
    """Findings failed; they have been reported already, so this carries the count only."""

    image: str
    failures: int
    exit_code = 3
    kind = "validation"
    template = "{image}: {failures} finding(s) stand against an import"
    hint_template = "mend what failed, or accept it: --accept ID --reason TEXT"


class ObjectTooLarge(DiskwrightError):
    """Seen while it is sent: how well a disk compresses shows only then."""

    image: str
    limit: str
    exit_code = 3
    kind = "validation"
    template = "{image}: the object grows past {limit}, more than the service imports"
    hint_template = "shrink the disk, or accept it: --accept image.object-size --reason TEXT"


class Cancelled(DiskwrightError):
    """Asked to stop: `signal` 2 (Ctrl-C), 15 (terminate) or 1 (the terminal is gone)."""

    signal: int = 2
    left: str = "nothing was left behind"
    kind = "cancelled"
    template = "cancelled; {left}"
    hint_template = "run the same command again to start anew"
    exit_code = 130

    @property
    def status(self) -> int:
        return 128 + self.signal
