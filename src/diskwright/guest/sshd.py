"""The SSH server: whether root may log in (sshd_config(5)), and host keys that are there already.

Of a keyword that comes several times the first counts. `Include` reads on in other files where
it stands; what follows `Match` holds for some connections, to the end of the file, and has the
last word for them: who is meant is not worked out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from diskwright.guest.reading import NotThere, Unreadable
from diskwright.guest.tree import GuestTree
from diskwright.model.access import SshServer
from diskwright.model.location import Location

FOLDER, CONFIG = "/etc/ssh", "/etc/ssh/sshd_config"
SERVERS = ("/usr/sbin/sshd", "/usr/bin/sshd")
ROOT_LOGIN = "prohibit-password"  # where nothing is said, since OpenSSH 7.0
MAX_FILE = 1 << 20
MAX_FILES = 200
MAX_DEPTH = 16  # as sshd's own
MAX_MATCHES = 100

_HOST_KEY = re.compile(r"ssh_host_.+_key")
_LINE = re.compile(r"\s*([A-Za-z]+)(?:\s*=\s*|\s+)(.*)")
# A # before a word begins a comment
_WORD = re.compile(r'\s*("[^"]*"|[^\s"#][^\s"]*)')


def read_sshd(tree: GuestTree) -> SshServer:
    """Raises GuestReadError."""
    keys = tuple(f"{FOLDER}/{name}" for name in _names(tree, FOLDER) if _HOST_KEY.fullmatch(name))
    if not any(tree.is_file(path) for path in SERVERS):
        return SshServer(False, host_keys=keys)
    config = _Config(tree)
    try:
        config.read(CONFIG, 1)
    except NotThere:
        config.value = None
    value, location = config.value or (ROOT_LOGIN, None)
    return SshServer(True, value, location, tuple(config.conditional), keys)


@dataclass(slots=True)
class _Config:
    tree: GuestTree
    value: tuple[str, Location] | None = None
    conditional: list[Location] = field(default_factory=list)
    files: int = 0

    def read(self, path: str, depth: int, *, matching: bool = False) -> None:
        self.files += 1
        if depth > MAX_DEPTH or self.files > MAX_FILES:
            raise Unreadable("too-large", "includes too many files", path=path)
        for number, line in enumerate(self.tree.read_text(path, MAX_FILE).split("\n"), 1):
            found = _LINE.fullmatch(line)
            if found is None:
                continue
            keyword, words = found[1].lower(), list(_words(found[2]))
            if keyword == "match":
                matching = True
            elif keyword == "include":
                for pattern in words:
                    for one in _matching(self.tree, pattern):
                        self.read(one, depth + 1, matching=matching)
            elif keyword == "permitrootlogin" and words:
                self._says(words[0].lower(), Location(path, number), matching)

    def _says(self, value: str, location: Location, matching: bool) -> None:
        if matching:
            if len(self.conditional) < MAX_MATCHES:
                self.conditional.append(location)
        elif self.value is None:
            self.value = (value, location)


def _words(text: str) -> Iterator[str]:
    """Of the rest of a line, without quotes, up to a comment."""
    at = 0
    while found := _WORD.match(text, at):
        yield found[1].strip('"')
        at = found.end()


def _matching(tree: GuestTree, pattern: str) -> Iterator[str]:
    """Files by a glob(7) pattern in the last part of a path; a folder's is not worked out."""
    path = pattern if pattern.startswith("/") else f"{FOLDER}/{pattern}"
    folder, _, last = path.rpartition("/")
    if any(char in folder for char in "*?["):
        raise Unreadable("unsupported", f"includes {pattern}", path=CONFIG)
    if not any(char in last for char in "*?["):
        if tree.is_file(path):
            yield path
        return
    for name in _names(tree, folder):
        if fnmatchcase(name, last) and not (name.startswith(".") and not last.startswith(".")):
            yield f"{folder}/{name}"


def _names(tree: GuestTree, folder: str) -> list[str]:
    try:
        return tree.names(folder)
    except NotThere:
        return []
