"""Exit code 11: external tools and confinement."""

from __future__ import annotations

from diskwright.errors.base import DiskwrightError


class ToolError(DiskwrightError):
    exit_code = 11
    kind = "tool"


class ToolMissing(ToolError):
    tool: str
    package: str
    template = "{tool} is not installed"
    hint_template = "apt-get install {package}"


class ToolFailed(ToolError):
    tool: str
    reason: str
    template = "{tool} failed: {reason}"
    hint_template = "run diskwright doctor, then again with --debug"


class ToolStalled(ToolError):
    tool: str
    seconds: float
    template = "{tool} gave no answer for {seconds:g} s and was stopped"
    hint_template = "the file may be made to stall readers, or its disk is failing: check both"


class ConfinementUnavailable(ToolError):
    reason: str
    template = "the readers can't be confined here: {reason}"
    hint_template = (
        "apt-get install bubblewrap, or use Linux 5.13 or newer (Landlock), or --unconfined for a "
        "file you trust"
    )
