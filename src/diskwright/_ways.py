"""Which confinement is taken: Landlock, bubblewrap where a kernel has none, or a refusal."""

from __future__ import annotations

from typing import Literal

from diskwright import _sandbox
from diskwright.errors import ConfinementUnavailable

Choice = Literal["auto", "landlock", "bubblewrap"]
Way = Literal["landlock", "bubblewrap", "none"]

_PROGRAM = "bwrap"
INSTALL = "apt-get install bubblewrap"


def way_of(choice: Choice, *, unconfined: bool) -> Way:
    """What a child is to be confined by. Whether the kernel lets it shows when it starts.

    Raises ConfinementUnavailable where bubblewrap was asked for and is not installed, or is the
    only way left.
    """
    if unconfined:
        return "none"
    if choice == "landlock" or (choice == "auto" and _sandbox.landlock_abi() > 0):
        return "landlock"
    if bubblewrap() is None:
        lacking = "bubblewrap is not installed"
        if choice == "auto":
            lacking = f"no Landlock in this kernel, or it is switched off, and {lacking}"
        raise ConfinementUnavailable(lacking)
    return "bubblewrap"


def bubblewrap() -> str | None:
    """Its program's path, None where it is not installed."""
    import shutil  # slow to import, and most kernels have Landlock

    return shutil.which(_PROGRAM)
