"""The confined child that reads of a guest what is asked for besides its facts.

It stands apart from `child`, which then need not know what only few ask for.
"""

from __future__ import annotations

from dataclasses import replace

from diskwright.errors import DiskwrightError
from diskwright.formats.limits import GUEST_EXAMINED_BYTES
from diskwright.guest import child
from diskwright.guest.answer import BELOW, CONFIGURATION, FILES, PACKAGES, nothing_examined
from diskwright.guest.files import EVERY, MOST_BYTES, MOST_CALLS, SETTINGS, list_files
from diskwright.guest.inspect import open_guest
from diskwright.guest.software import rpm
from diskwright.guest.software.listing import read_software
from diskwright.guest.source import Disk
from diskwright.guest.tree import GuestTree
from diskwright.model.examined import Examined, FileListing


def preload() -> None:
    """Import what is imported late: afterwards no module can be opened."""
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
    software = read_software(tree) if PACKAGES in wishes else None
    if software is not None:
        lacking = [f"{fs.place}: {fs.may_lack}" for fs in facts.filesystems or () if fs.may_lack]
        software = replace(software, unread=(*software.unread, *lacking))
    return Examined(facts, software, _files(tree, wishes))


def _files(tree: GuestTree, wishes: list[str]) -> FileListing | None:
    if FILES in wishes:
        return list_files(tree, BELOW[FILES], EVERY)
    if CONFIGURATION in wishes:
        return list_files(tree, BELOW[CONFIGURATION], SETTINGS)
    return None
