"""What confines readers here, found out by doing it: for `doctor`, and to be noted of a run."""

from __future__ import annotations

import os

from diskwright import _sandbox
from diskwright._process import spawn, tool_command, tool_rules
from diskwright._values import Struct
from diskwright._ways import INSTALL, Choice, bubblewrap, way_of
from diskwright.errors import ConfinementUnavailable, ToolError

_WAIT_S = 10.0
_NAME = "bubblewrap"


class InForce(Struct, frozen=True):
    """`words` for people: what it is, or what is missing and what to do about it."""

    confined: bool
    words: str


def in_force(choice: Choice, *, unconfined: bool) -> InForce:
    """What the children of this process are confined by."""
    try:
        way = way_of(choice, unconfined=unconfined)
        if way == "none":
            return InForce(False, "switched off (--unconfined)")
        if not _sandbox.seccomp_usable():
            machine = os.uname().machine
            return InForce(False, f"not available: no system-call filter (seccomp) for {machine}")
        if way == "landlock":
            return _landlock()
        return InForce(True, f"bubblewrap {bubblewrap_version(inside=True)} and a seccomp filter")
    except ToolError as error:
        hint = "" if bubblewrap() else f": {INSTALL}"
        reason = error.reason if isinstance(error, ConfinementUnavailable) else str(error)
        return InForce(False, f"not available: {reason}{hint}")


def bubblewrap_version(*, inside: bool = False) -> str:
    """Such as `0.8.0`, empty where it is not installed. `inside`: told in its own namespaces.

    Raises ToolError where it does not run, or can't make namespaces here.
    """
    program = bubblewrap()
    if program is None:
        return ""
    command = tool_command(
        [program, "--version"],
        rules=tool_rules(program),
        limits={},
        unconfined=not inside,
        confinement="bubblewrap",
    )
    process = spawn(command, tool=_NAME, stdout=True)
    try:
        said = process.stdout.read(200).decode("ascii", "replace")
        process.wait(_WAIT_S)
        process.raise_if_refused(program)
    finally:
        process.stop()
    return said.removeprefix(_NAME).strip()


def _landlock() -> InForce:
    abi = _sandbox.landlock_abi()
    if abi < 1:
        return InForce(False, "not available: this kernel lacks Landlock, or it is switched off")
    return InForce(True, f"Landlock (ABI {abi}) and a seccomp filter")
