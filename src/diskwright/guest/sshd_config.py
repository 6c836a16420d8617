"""What sshd_config(5) says to one user, as sshd itself takes it.

sshd reads its files twice. The first time, before anybody asks, it takes what stands outside of
Match blocks and in `Match all`; of a keyword that comes several times the first counts. The second
time, for a connection, it takes only what stands in the Match blocks that fit, again the first of
each, and that overrides. `Include` reads on where it stands and under the conditions there; a
Match in an included file ends with that file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from diskwright._values import Struct, field
from diskwright.guest.globbing import is_name, matcher
from diskwright.guest.reading import NotThere, Unreadable
from diskwright.guest.tree import GuestTree
from diskwright.model.location import Location

FOLDER = "/etc/ssh"
# openSUSE keeps its own where the administrator's would hide it
CONFIGS = ("/etc/ssh/sshd_config", "/usr/etc/ssh/sshd_config")
MAX_TEXT = 1 << 20  # bytes of all files
MAX_FILES = 200
MAX_DEPTH = 16  # as sshd's own
MAX_LISTED = 200  # folders that are looked through for Include
MAX_NAMES = 2000  # in one of them
MAX_CONDITIONS = 30  # of one Match, which has no more than ten criteria
MAX_GUARD = 100  # conditions of a Match with those around its file
MAX_PATH = 4096
MAX_PATTERN = 1022  # what sshd itself compares; a longer one fits nobody
MAX_TOLD = 100

_WILDCARD = re.compile(r"[*?\[]")
_STARS = re.compile(r"\*{2,}")
_KEYWORD = re.compile(r"\s*([A-Za-z0-9]+)(?:\s*=\s*|\s+)(.*)")
# A word: pieces in quotes, and others to the next blank, joined
_WORD = re.compile(r"""(?:"[^"]*"|'[^']*'|[^\s"'])+""")
_PIECE = re.compile(r""""([^"]*)"|'([^']*)'|([^\s"']+)""")
_ANYBODY = ("all", "")

# Conditions of Match lines that must all fit: criterion and pattern list
Guard = tuple[tuple[str, str], ...]


class Directive(Struct, frozen=True):
    """`keyword` in lower case; `value` is the first of its arguments, in lower case too."""

    keyword: str
    value: str
    location: Location
    guard: Guard = ()
    arguments: tuple[str, ...] = ()


class Answer(Struct, frozen=True):
    """`location` is None for sshd's own default. `unless`: where something else is said to some."""

    value: str
    location: Location | None
    unless: tuple[Location, ...] = ()


def read_directives(tree: GuestTree) -> tuple[Directive, ...]:
    """Of all files, in the order in which sshd reads them. Raises GuestReadError."""
    reading = _Reading(tree)
    for path in CONFIGS:
        if tree.exists(path):
            reading.read(path, 1, ())
            break
    return tuple(reading.found)


def answer(directives: tuple[Directive, ...], keyword: str, user: str, default: str) -> Answer:
    """What `keyword` is for `user`, from wherever the connection comes."""
    said = [one for one in directives if one.keyword == keyword]
    guards = {one.guard: None for one in said if one.guard}
    conditions = {one for guard in guards for one in guard}
    fit_one = {one: _fits(one, user) for one in conditions}
    fit = {guard: _all_fit([fit_one[one] for one in guard]) for guard in guards}
    fitting = [(one, fit[one.guard]) for one in said if one.guard]
    at = next((i for i, (_, fits) in enumerate(fitting) if fits), len(fitting))
    plain = next((one for one in said if set(one.guard) <= {_ANYBODY}), None)
    chosen = fitting[at][0] if at < len(fitting) else plain
    value = chosen.value if chosen else default
    unless = [one.location for one, fits in fitting[:at] if fits is None and one.value != value]
    return Answer(value, chosen.location if chosen else None, tuple(unless[:MAX_TOLD]))


def kept_out(directives: tuple[Directive, ...], user: str) -> tuple[Location, ...]:
    """Lists of users and groups that keep `user` out, or may: which groups one is in is not
    looked up, nor from where somebody comes."""
    found = [one.location for one in directives if _may_keep_out(one, user)]
    allowed = [one for one in directives if one.keyword == "allowusers"]
    if not any(_names_all(one, user) for one in allowed if not one.guard):
        found += [one.location for one in allowed]
    return tuple(found[:MAX_TOLD])


def _may_keep_out(one: Directive, user: str) -> bool:
    if one.keyword == "denyusers":
        names = (word.partition("@")[0] for word in one.arguments)
        return any(word.startswith("!") or _like(word, user) for word in names)
    return one.keyword in ("allowgroups", "denygroups")


def _names_all(one: Directive, user: str) -> bool:
    """From wherever they come."""
    if any(word.startswith("!") for word in one.arguments):
        return False
    return any(_like(word, user) for word in one.arguments if "@" not in word)


def _fits(condition: tuple[str, str], user: str) -> bool | None:
    """None where it depends on more than the user's name."""
    criterion, patterns = condition
    if criterion == "user":
        return _in_list(patterns, user)
    return True if criterion == "all" else None


def _all_fit(answers: list[bool | None]) -> bool | None:
    if False in answers:
        return False
    return None if None in answers else True


def _in_list(patterns: str, name: str) -> bool:
    """PATTERNS of ssh_config(5): one that begins with `!` and fits decides."""
    fits = False
    for pattern in patterns.split(","):
        if len(pattern) > MAX_PATTERN:
            return False  # the list ends there, as sshd has it
        negated = pattern.startswith("!")
        if _like(pattern.removeprefix("!"), name):
            if negated:
                return False
            fits = True
    return fits


def _like(pattern: str, name: str) -> bool:
    """Only `*` and `?` are wildcards here. Goes back to the last star alone, so it is quick."""
    pattern = _STARS.sub("*", pattern)
    at, star, tried = 0, -1, 0
    here = 0
    while here < len(name):
        if at < len(pattern) and pattern[at] == "*":
            star, tried, at = at, here, at + 1
        elif at < len(pattern) and pattern[at] in ("?", name[here]):
            at, here = at + 1, here + 1
        elif star >= 0:
            tried += 1
            at, here = star + 1, tried
        else:
            return False
    return not pattern[at:].strip("*")


class _Reading(Struct):
    tree: GuestTree
    found: list[Directive] = field(default_factory=list)
    text: int = 0
    files: int = 0
    listed: int = 0

    def read(self, path: str, depth: int, outer: Guard) -> None:
        self.files += 1
        if depth > MAX_DEPTH or self.files > MAX_FILES:
            raise Unreadable("too-large", "includes too many files", path=path)
        text = self.tree.read_text(path, MAX_TEXT - self.text)
        self.text += len(text)
        guard = outer
        for number, line in enumerate(text.split("\n"), 1):
            keyword, arguments = _words(line)
            if keyword == "match":
                if len(arguments) > 2 * MAX_CONDITIONS:
                    raise Unreadable("too-large", "has a Match that is too long", path=path)
                guard = (*outer, *_conditions(arguments))
                if len(guard) > MAX_GUARD:
                    raise Unreadable("too-large", "has too many Match in each other", path=path)
            elif keyword == "include":
                for argument in arguments:
                    for one in self._files(argument):
                        self.read(one, depth + 1, guard)
            elif arguments:
                said = Location(path, number), guard, tuple(arguments)
                self.found.append(Directive(keyword, arguments[0].lower(), *said))

    def _files(self, pattern: str) -> Iterator[str]:
        """As glob(7) finds them, sorted; a relative pattern is one beneath /etc/ssh."""
        path = pattern if pattern.startswith("/") else f"{FOLDER}/{pattern}"
        found = [""]
        for part in filter(None, path.split("/")):
            if _WILDCARD.search(part):
                found = [
                    f"{folder}/{name}" for folder in found for name in self._names(folder, part)
                ]
            else:
                found = [f"{folder}/{part}" for folder in found if is_name(part)]
            found = [one for one in found if len(one) < MAX_PATH]
            if len(found) > MAX_FILES:
                raise Unreadable("too-large", "means too many files", path=FOLDER)
            if not found:
                break
        return (one for one in found if self.tree.exists(one))

    def _names(self, folder: str, pattern: str) -> list[str]:
        self.listed += 1
        if self.listed > MAX_LISTED:
            raise Unreadable("too-large", "looks through too many folders", path=folder)
        try:
            names = self.tree.names(folder or "/", MAX_NAMES)
        except NotThere:
            return []
        hidden, fits = pattern.startswith("."), matcher(pattern)
        return [n for n in names if fits(n) and (hidden or not n.startswith("."))]


def _words(line: str) -> tuple[str, list[str]]:
    """A keyword in lower case, and its arguments without quotes, up to a comment."""
    match = _KEYWORD.match(line)
    if match is None:
        return "", []
    words = []
    for word in _WORD.finditer(match[2]):
        if word[0].startswith("#"):
            break
        words.append("".join(a or b or c for a, b, c in _PIECE.findall(word[0])))
    return match[1].lower(), words


def _conditions(words: list[str]) -> Guard:
    """Of `User root Address 10.0.0.0/8`, or `User=root`."""
    pairs: list[tuple[str, str]] = []
    rest = iter(words)
    for word in rest:
        criterion, equals, patterns = word.partition("=")
        criterion = criterion.lower()
        if criterion == "all":
            pairs.append(_ANYBODY)
        else:
            pairs.append((criterion, patterns if equals else next(rest, "")))
    return tuple(pairs)
