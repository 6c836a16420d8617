"""Accounts, and whether they can log in by password: passwd(5), shadow(5).

A hash is looked at for its form only, and goes nowhere.
"""

from __future__ import annotations

from collections.abc import Iterator

from diskwright.guest.reading import NotThere, Unreadable
from diskwright.guest.tree import GuestTree
from diskwright.model.access import Account, PasswordState
from diskwright.model.location import Location

PASSWD, SHADOW = "/etc/passwd", "/etc/shadow"
MAX_FILE = 4 << 20
MAX_ACCOUNTS = 10_000

_NO_SHELLS = ("nologin", "false", "sync", "halt", "shutdown")
_IN_SHADOW = "x"


def read_accounts(tree: GuestTree) -> tuple[Account, ...]:
    """Those with a password or an empty one; of a name that comes twice the first, as getpwnam(3)
    takes it. Raises GuestReadError.
    """
    shadow: dict[str, tuple[str, int]] = {}
    for number, name, rest in _lines(tree, SHADOW):
        shadow.setdefault(name, (rest[0] if rest else "", number))
    found: dict[str, Account | None] = {}
    for number, name, rest in _lines(tree, PASSWD):
        if name in found:
            continue
        field, location = rest[0] if rest else "", Location(PASSWD, number)
        if field == _IN_SHADOW:
            field, line = shadow.get(name, ("*", 0))
            location = Location(SHADOW, line or None)
        state = _state(field)
        shell = rest[5] if len(rest) > 5 else ""
        lets_in = not shell.rpartition("/")[2].startswith(_NO_SHELLS)
        locked = state is PasswordState.LOCKED
        found[name] = None if locked else Account(name, state, lets_in, location)
    return tuple(account for account in found.values() if account is not None)


def homes(tree: GuestTree) -> tuple[str, ...]:
    """Home folders of the accounts that a person may use; root's is always among them."""
    found = {"/root": None}
    for _, _, rest in _lines(tree, PASSWD):
        if len(rest) > 4 and rest[4].startswith(("/home/", "/root")):
            found.setdefault(rest[4].rstrip("/"), None)
    return tuple(found)


def _lines(tree: GuestTree, path: str) -> Iterator[tuple[int, str, list[str]]]:
    """Number, name, and the fields behind it; a file that is not there has none."""
    try:
        text = tree.read_text(path, MAX_FILE)
    except NotThere:
        return
    for number, line in enumerate(text.split("\n"), 1):
        name, *rest = line.split(":")
        if not name or name.startswith(("#", "+", "-")) or not rest:
            continue
        if number > MAX_ACCOUNTS:
            raise Unreadable("too-large", f"has more than {MAX_ACCOUNTS} lines", path=path)
        yield number, name, rest


def _state(field: str) -> PasswordState:
    """crypt(5): a hash has none of `!` and `*` in front; `!` before a hash locks it."""
    if not field:
        return PasswordState.EMPTY
    return PasswordState.LOCKED if field[0] in "!*" else PasswordState.SET
