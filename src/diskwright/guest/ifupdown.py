"""Interfaces as ifupdown sets them up: /etc/network/interfaces, interfaces(5)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from diskwright._values import Struct
from diskwright.guest.globbing import matcher
from diskwright.guest.reading import GuestReadError, NotThere
from diskwright.guest.tree import GuestTree
from diskwright.model.location import Location
from diskwright.model.network import AddressMethod, Interface

MANAGER = "ifupdown"
INTERFACES = "/etc/network/interfaces"
MAX_FILE = 1 << 20
MAX_FILES = 200
MAX_STANZAS = 1000
MAX_DEPTH = 8  # of `source` lines

_METHODS = {
    "dhcp": AddressMethod.DHCP,
    "bootp": AddressMethod.DHCP,
    "auto": AddressMethod.DHCP,  # inet6: by router advertisement
    "static": AddressMethod.STATIC,
    "v4tunnel": AddressMethod.STATIC,
    "manual": AddressMethod.NONE,
    "ipv4ll": AddressMethod.NONE,
}
_WILDCARD = re.compile(r"[*?\[]")
_STANZAS = ("auto", "allow-", "mapping", "no-", "rename", "template")


class _Iface(Struct, frozen=True):
    name: str
    family: str
    method: str
    location: Location
    address: str | None = None


def read_ifupdown(tree: GuestTree) -> list[Interface]:
    """One for each name; IPv4 decides where both are set up. A file that can't be read, or is past
    a limit, gives an interface without a name and of unknown method."""
    found: dict[str, Interface] = {}
    stanzas = list(islice(_read(tree, INTERFACES, 0, set()), MAX_STANZAS + 1))
    if len(stanzas) > MAX_STANZAS:
        stanzas[-1] = _unread(INTERFACES)
    order = [stanza for stanza in stanzas if stanza.method != "loopback"]
    for iface in sorted(order, key=lambda i: i.family != "inet"):
        method = _METHODS.get(iface.method, AddressMethod.UNKNOWN)
        known = found.get(iface.name)
        if known is None or known.method is AddressMethod.NONE:
            found[iface.name] = Interface(
                iface.location, MANAGER, iface.name, method, iface.address
            )
    return list(found.values())


def _read(tree: GuestTree, path: str, depth: int, seen: set[str]) -> Iterator[_Iface]:
    if path in seen:
        return
    if depth > MAX_DEPTH or len(seen) >= MAX_FILES:
        yield _unread(path)
        return
    seen.add(path)
    try:
        text = tree.read_text(path, MAX_FILE)
    except NotThere:
        return
    except GuestReadError:
        yield _unread(path)
        return
    current: _Iface | None = None
    for number, words in _lines(text):
        keyword = words[0]
        if keyword == "iface" and len(words) >= 4:
            if current:
                yield current
            current = _Iface(words[1], words[2], words[3], Location(path, number))
        elif keyword in ("source", "source-directory", "source-dir"):
            for other in _sourced(tree, path, words):
                if isinstance(other, _Iface):
                    yield other
                else:
                    yield from _read(tree, other, depth + 1, seen)
        elif keyword.startswith(_STANZAS):
            if current:
                yield current
            current = None
        elif keyword == "address" and current and len(words) > 1:
            current = _Iface(
                current.name, current.family, current.method, current.location, words[1]
            )
    if current:
        yield current


def _unread(path: str) -> _Iface:
    return _Iface("", "inet", "unreadable", Location(path))


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """Words of each line; a line that ends in a backslash goes on in the next one."""
    start = 1
    parts: list[str] = []
    for number, line in enumerate(text.split("\n"), start=1):
        start = start if parts else number
        if line.endswith("\\"):
            parts.append(line[:-1])
            continue
        words = " ".join([*parts, line]).split()
        parts = []
        if words and not words[0].startswith("#"):
            yield start, words


def _sourced(tree: GuestTree, path: str, words: list[str]) -> list[str | _Iface]:
    """The files that a source line means. Which those are is not known where a folder can't be
    listed or its name has wildcards: an interface of unknown method stands for them."""
    found: list[str | _Iface] = []
    for word in words[1:]:
        full = word if word.startswith("/") else f"{path.rpartition('/')[0]}/{word}"
        folder, _, pattern = full.rpartition("/")
        if words[0] != "source":
            folder, pattern = full.rstrip("/"), "*"
        if not _WILDCARD.search(f"{folder}/{pattern}"):
            found.append(full)
            continue
        if _WILDCARD.search(folder):
            found.append(_unread(full))
            continue
        try:
            fits = matcher(pattern)
            names = tree.names(folder or "/", MAX_FILES)
        except NotThere:
            continue
        except GuestReadError:
            found.append(_unread(full))
            continue
        matching = [n for n in names if fits(n) and not n.startswith(".")]
        found += [f"{folder}/{name}" for name in matching]
    return found
