"""Exit code 15: what is written on this machine."""

from __future__ import annotations

from dataclasses import dataclass

from diskwright.errors.base import DiskwrightError


class OutputError(DiskwrightError):
    exit_code = 15
    kind = "output"


@dataclass(eq=False)
class OutputNotWritable(OutputError):
    path: str
    reason: str
    template = "{path}: can't be written: {reason}"
    hint_template = "check the folder and its permissions"


@dataclass(eq=False)
class DiskFull(OutputError):
    path: str
    needed_bytes: int = 0
    template = "{path}: no space left on the device"
    hint_template = "free some space (df -h), or write elsewhere"
