"""From a path as the registry spells it to a path in the guest's tree."""

from __future__ import annotations

import re

from diskwright.guest.reading import GuestReadError
from diskwright.guest.tree import GuestTree

_WINDOWS = re.compile(r"(?:\\systemroot|%systemroot%|%windir%)\\", re.IGNORECASE)
_DRIVE = re.compile(r"(?:\\\?\?\\)?([a-z]):\\", re.IGNORECASE)
_PROGRAM = re.compile(r".*?\.(?:exe|sys)(?=\s|$)", re.IGNORECASE)


def file_of(image_path: str | None, name: str) -> str | None:
    """The program of an ImagePath, without its arguments; where there is none, the driver that
    Windows then takes. None for a path on another drive, or that is not understood.
    """
    path = program_of(image_path) if image_path else f"System32\\drivers\\{name}.sys"
    if found := _WINDOWS.match(path):
        return _slashes("/Windows/", path[found.end() :])
    if found := _DRIVE.match(path):
        return _slashes("/", path[found.end() :]) if found[1] in "cC" else None
    if path.lower().startswith("system32\\"):
        return _slashes("/Windows/", path)
    return None


def program_of(command: str) -> str:
    command = command.strip()
    if command.startswith('"'):
        return command[1:].partition('"')[0]
    found = _PROGRAM.match(command)
    return found[0] if found else command


def is_file(tree: GuestTree, path: str | None) -> bool | None:
    """None where that can't be told."""
    if path is None:
        return None
    try:
        return tree.is_file(path)
    except GuestReadError:
        return None


def _slashes(start: str, rest: str) -> str:
    return start + rest.replace("\\", "/")
