"""Which confined child reads a guest: light to import, so that it is started before all else."""

from __future__ import annotations

from diskwright._child import Reader
from diskwright._ways import Choice
from diskwright.formats import limits

FUNCTION = "diskwright.guest.child:main"
EXAMINING = "diskwright.guest.examining:main"

_LIMITS = {"AS": limits.READER_BYTES, "FSIZE": 0, "NOFILE": 32}


def guest_reader(
    function: str = FUNCTION,
    *,
    cpu_s: int = limits.READER_CPU_S,
    unconfined: bool,
    confinement: Choice,
) -> Reader:
    """Its arguments: NBD or FILE, the disk's size, and of EXAMINING the wishes."""
    return Reader(function, "the guest reader", {**_LIMITS, "CPU": cpu_s}, unconfined, confinement)
