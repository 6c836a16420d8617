"""The confined child that reads of a guest what is asked for besides its facts.

It stands apart from `child`, which then need not know what only few ask for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from diskwright._values import replace
from diskwright.errors import DiskwrightError
from diskwright.formats.limits import GUEST_EXAMINED_BYTES
from diskwright.guest import child
from diskwright.guest.answer import BELOW, CONFIGURATION, FILES, PACKAGES, nothing_examined
from diskwright.guest.files import EVERY, MOST_BYTES, MOST_CALLS, SETTINGS, Bounds, list_files
from diskwright.guest.inspect import open_guest
from diskwright.guest.software import rpm
from diskwright.guest.software.listing import read_software
from diskwright.guest.source import Disk
from diskwright.guest.tree import GuestTree
from diskwright.model.examined import Examined, FileListing, Software, Unlisted

T = TypeVar("T")


def preload() -> None:
    """Afterwards no module can be opened."""
    child.preload()
    rpm.preload()


def main(fd: int, kind: str, exact_size: int, wishes: list[str]) -> int:
    """As `child.main`, with what `wishes` name."""
    instead = nothing_examined("what was read of it is too long", wishes)
    child.say(_examine(fd, kind, exact_size, wishes), instead, GUEST_EXAMINED_BYTES)
    return 0


def _examine(fd: int, kind: str, exact_size: int, wishes: list[str]) -> Examined:
    try:
        return examine_guest(child.reader_of(fd, kind, exact_size), wishes)
    except DiskwrightError as error:
        return nothing_examined(str(error), wishes)
    except Exception as error:  # noqa: BLE001 - the edge: a bug here is the disk's loss alone
        return nothing_examined(f"the reader failed: {type(error).__name__}: {error}", wishes)


def examine_guest(reader: Disk, wishes: list[str]) -> Examined:
    """Bounded as `inspect_guest` is."""
    if FILES in wishes:
        facts, tree = open_guest(reader, budget_bytes=MOST_BYTES, budget_calls=MOST_CALLS)
    else:
        facts, tree = open_guest(reader)
    if tree is None:
        reason = next((entry.reason for entry in facts.unread), "no root file system was found")
        return nothing_examined(reason, wishes, facts)
    software = files = None
    if PACKAGES in wishes:
        software = _apart(lambda: read_software(tree), lambda why: Software(unread=(why,)))
    if software is not None:
        lacking = [f"{fs.place}: {fs.may_lack}" for fs in facts.filesystems or () if fs.may_lack]
        software = replace(software, unread=(*software.unread, *lacking))
    for wish, bounds in ((FILES, EVERY), (CONFIGURATION, SETTINGS)):
        if wish in wishes:
            files = _listed(tree, BELOW[wish], bounds)
            break
    return Examined(facts, software, files)


def _listed(tree: GuestTree, below: str, bounds: Bounds) -> FileListing:
    def nothing(why: str) -> FileListing:
        return FileListing(below, unread=(Unlisted(below, why),), end=below)

    return _apart(lambda: list_files(tree, below, bounds), nothing)


def _apart(read: Callable[[], T], instead: Callable[[str], T]) -> T:
    """What fails here, by a bug or for want of memory, takes nothing else along."""
    try:
        return read()
    except Exception as error:  # noqa: BLE001 - an edge as in `_examine`
        why = f"the reader failed: {type(error).__name__}: {error}"
    return instead(why)
