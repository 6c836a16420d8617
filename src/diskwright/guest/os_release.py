"""Which operating system is installed: os-release(5), and the architecture of its programs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from diskwright.guest.elf import HEADER_BYTES, elf_libc, elf_machine
from diskwright.guest.reading import GuestReadError, NotThere
from diskwright.guest.tree import GuestTree
from diskwright.model.guest import OsRelease

OS_RELEASE_PATHS = ("/etc/os-release", "/usr/lib/os-release")
MAX_OS_RELEASE = 64 << 10
PROGRAMS = (
    "/sbin/init",
    "/bin/sh",
    "/usr/bin/bash",
    "/usr/bin/env",
    "/bin/ls",
    "/usr/lib/systemd/systemd",
)

_ASSIGNMENT = re.compile(r"\s*([A-Z][A-Z0-9_]*)=(.*)")
_ESCAPED = re.compile(r"\\([\\\"'$`])")


class OsReleaseMissing(Exception):
    """Neither file is there."""


class OsReleaseUnusable(Exception):
    """The file that counts says nothing of an operating system; `path` is the guest's."""

    def __init__(self, path: str) -> None:
        super().__init__(f"{path} names no operating system")
        self.path = path


def read_os_release(tree: GuestTree, architecture: str | None) -> OsRelease:
    """From the first of the two files that is there (os-release(5), Description)."""
    for path in OS_RELEASE_PATHS:
        try:
            text = tree.read_text(path, MAX_OS_RELEASE)
        except NotThere:
            continue
        fields = parse_os_release(text)
        if not {"ID", "NAME", "PRETTY_NAME"} & fields.keys():
            raise OsReleaseUnusable(path)
        return OsRelease(
            id=fields.get("ID", "linux"),  # the default that os-release(5) sets
            version_id=fields.get("VERSION_ID"),
            name=fields.get("PRETTY_NAME") or fields.get("NAME"),
            codename=fields.get("VERSION_CODENAME"),
            architecture=architecture,
            like=tuple(fields.get("ID_LIKE", "").split()),
        )
    raise OsReleaseMissing


def parse_os_release(text: str) -> dict[str, str]:
    """Assignments as a shell would read them, without running one; other lines are passed over."""
    fields = {}
    for line in text.splitlines():
        match = _ASSIGNMENT.fullmatch(line)
        if match:
            fields[match[1]] = _unquote(match[2].rstrip())
    return fields


def read_architecture(tree: GuestTree) -> str | None:
    """From the first program that is there and is an ELF file; None where none is."""
    return next((found for head in _heads(tree) if (found := elf_machine(head))), None)


def read_libc(tree: GuestTree) -> str | None:
    """`glibc` or `musl`, of the first program that tells it."""
    return next((found for head in _heads(tree) if (found := elf_libc(head))), None)


def _heads(tree: GuestTree) -> Iterator[bytes]:
    for path in PROGRAMS:
        try:
            yield next(tree.stream(path, HEADER_BYTES), b"")
        except GuestReadError:
            continue


def _unquote(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] == "'":
        return value[1:-1]
    if len(value) >= 2 and value[0] == value[-1] == '"':
        value = value[1:-1]
    return _ESCAPED.sub(r"\1", value)
