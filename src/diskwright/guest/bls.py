"""Entries of the Boot Loader Specification, type 1, and the order of a menu of both types.

https://uapi-group.org/specifications/specs/boot_loader_specification
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from diskwright._values import Struct
from diskwright.guest.versions import version_order

MAX_OPTIONS = 64  # lines of one entry
MAX_INITRDS = 64

_TRIES = re.compile(r"(.+)\+(\d{1,9})(?:-(\d{1,9}))?(\.[^.]+)")


class BlsEntry(Struct, frozen=True):
    """`id` is its file's name, without what counts tries; what it does not say is empty.

    `tries_left`: None where tries are not counted. `line` is that of the kernel.
    """

    id: str
    title: str = ""
    version: str = ""
    machine_id: str = ""
    sort_key: str = ""
    linux: str = ""
    efi: str = ""
    initrds: tuple[str, ...] = ()
    options: str = ""
    architecture: str = ""
    tries_left: int | None = None
    tries_done: int = 0
    line: int = 1


def fields(text: str) -> Iterator[tuple[int, str, str]]:
    """Lines of `key value`, with their numbers; quotes around a value are taken off."""
    for number, line in enumerate(text.split("\n"), start=1):
        words = line.strip().split(None, 1)
        if not words or words[0].startswith("#"):
            continue
        value = words[1] if len(words) > 1 else ""
        if len(value) > 1 and value[0] == value[-1] == '"':
            value = value[1:-1]
        yield number, words[0], value


def parse_entry(text: str, name: str) -> BlsEntry:
    """Of a file called `name`; the last of a key that is given twice counts."""
    said: dict[str, str] = {}
    initrds: list[str] = []
    options: list[str] = []
    at = 1
    for number, key, value in fields(text):
        if key == "initrd" and len(initrds) < MAX_INITRDS:
            initrds.append(_path(value))
        elif key == "options" and len(options) < MAX_OPTIONS:
            options.append(value)
        elif value:
            said[key] = value
        if key in ("linux", "efi"):
            at = number
    identity, left, done = split_name(name)
    return BlsEntry(
        id=identity,
        title=said.get("title", ""),
        version=said.get("version", ""),
        machine_id=said.get("machine-id", ""),
        sort_key=said.get("sort-key", ""),
        linux=_path(said.get("linux", "")),
        efi=_path(said.get("efi", "")),
        initrds=tuple(filter(None, initrds)),
        options=" ".join(" ".join(options).split()),
        architecture=said.get("architecture", ""),
        tries_left=left,
        tries_done=done,
        line=at,
    )


def split_name(name: str) -> tuple[str, int | None, int]:
    """A file's name without its count, tries left (None: not counted), tries done.

    `NAME+LEFT[-DONE].conf` (systemd, Automatic Boot Assessment).
    """
    match = _TRIES.fullmatch(name)
    if match is None:
        return name, None, 0
    return match[1] + match[4], int(match[2]), int(match[3] or 0)


def menu_order(entries: Iterable[BlsEntry]) -> list[BlsEntry]:
    """As systemd-boot sorts them: those that never came up last, those with a sort key first.

    Each sort keeps the order of the one before among what it finds equal.
    """
    found = sorted(entries, key=lambda e: (-(e.tries_left or 0), e.tries_done))
    found.sort(key=lambda e: version_order(e.id), reverse=True)
    found.sort(key=lambda e: version_order(e.version) if e.sort_key else [], reverse=True)
    return sorted(found, key=_group)


def _group(entry: BlsEntry) -> tuple[bool, bool, str, str]:
    machine = entry.machine_id if entry.sort_key else ""
    return entry.tries_left == 0, not entry.sort_key, entry.sort_key, machine


def _path(text: str) -> str:
    return text.replace("\\", "/")
