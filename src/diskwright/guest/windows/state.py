"""What state a Windows guest was left in: generalized, hibernated, waiting for a restart."""

from __future__ import annotations

from diskwright.guest.reading import NotThere
from diskwright.guest.tree import GuestTree
from diskwright.guest.windows.hive import Key
from diskwright.model.windows import Hibernation

HIBERNATION_FILE = "/hiberfil.sys"
PENDING_FILE = "/Windows/WinSxS/pending.xml"

_ANY_SIZE = 1 << 50  # of which the first bytes are read
_SAVED = (b"hibr", b"rstr")
_EMPTY = (b"wake", b"\0\0\0\0")
_VERSION = "Microsoft\\Windows\\CurrentVersion"
_SERVICING = f"{_VERSION}\\Component Based Servicing\\RebootPending"
_UPDATE = f"{_VERSION}\\WindowsUpdate\\Auto Update\\RebootRequired"
_RENAMES = ("PendingFileRenameOperations", "PendingFileRenameOperations2")


def read_hibernation(tree: GuestTree) -> Hibernation:
    """By the first four bytes: `hibr`, `rstr` while it is resumed, `wake` after that."""
    try:
        first = next(tree.stream(HIBERNATION_FILE, 4096, limit=_ANY_SIZE), b"")[:4].lower()
    except NotThere:
        return Hibernation.NONE
    if not first or first in _EMPTY:
        return Hibernation.EMPTY
    return Hibernation.SAVED if first in _SAVED else Hibernation.UNKNOWN


def read_fast_startup(control_set: Key) -> bool | None:
    power = control_set.key("Control\\Session Manager\\Power")
    value = power.number("HiberbootEnabled") if power else None
    return None if value is None else value != 0


def read_image_state(software: Key) -> str | None:
    state = software.key(f"{_VERSION}\\Setup\\State")
    return state.text("ImageState") if state else None


def read_generalization(system: Key) -> int | None:
    """7: sysprep has ended."""
    status = system.key("Setup\\Status\\SysprepStatus")
    return status.number("GeneralizationState") if status else None


def pending_updates(tree: GuestTree, software: Key) -> tuple[str, ...]:
    found = [path for path in (_SERVICING, _UPDATE) if software.key(path) is not None]
    return (*found, *((PENDING_FILE,) if tree.is_file(PENDING_FILE) else ()))


def pending_renames(control_set: Key) -> tuple[str, ...]:
    manager = control_set.key("Control\\Session Manager")
    # An empty list is two bytes, or four
    return tuple(name for name in _RENAMES if manager and manager.size(name) > 4)
