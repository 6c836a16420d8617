"""udev rules and .link files that tie the name of a network interface to one machine's hardware."""

from __future__ import annotations

import re

from diskwright.guest.keyfile import parse_keyfile
from diskwright.guest.overrides import overriding_files
from diskwright.guest.tree import GuestTree
from diskwright.model.location import Location

RULE_FOLDERS = ("/etc/udev/rules.d",)
LINK_FOLDERS = ("/etc/systemd/network", "/usr/lib/systemd/network", "/lib/systemd/network")
MAX_FILE = 1 << 20
MAX_FOUND = 100  # of one file

# udev(7): a comparison with an address, and an assignment of a name
_MATCHES_MAC = re.compile(r'(?:ATTRS?\{address\}|SYSFS\{address\})\s*==\s*"([^"]*)"')
_SETS_NAME = re.compile(r'(?<![A-Z{_])NAME\s*:?=(?!=)\s*"[^"]+"')
_MAC = re.compile(r"[0-9A-Fa-f]{2}([:-])[0-9A-Fa-f]{2}(?:\1[0-9A-Fa-f]{2}){4}")


def read_persistent_rules(tree: GuestTree) -> tuple[Location, ...]:
    """Rules of the administrator (not those of packages) that name an interface by its address."""
    return tuple(
        Location(path, line)
        for path in overriding_files(tree, RULE_FOLDERS, lambda name: name.endswith(".rules"))
        for line in pinning_lines(tree.read_text(path, MAX_FILE))
    )


def read_pinned_links(tree: GuestTree) -> tuple[Location, ...]:
    """.link files (systemd.link(5)) that match an address and set a name."""
    found = []
    for path in overriding_files(tree, LINK_FOLDERS, lambda name: name.endswith(".link")):
        keys = parse_keyfile(tree.read_text(path, MAX_FILE))
        macs = [k for k in keys if (k.section, k.key) in _LINK_MATCHES and _MAC.search(k.value)]
        if macs and any(k.section == "Link" and k.key == "Name" for k in keys):
            found.append(Location(path, macs[0].line))
    return tuple(found)


_LINK_MATCHES = frozenset({("Match", "MACAddress"), ("Match", "PermanentMACAddress")})


def pins_a_name(rules: str) -> bool:
    return bool(pinning_lines(rules))


def pinning_lines(rules: str) -> list[int]:
    """The lines, from 1, of rules that match a hardware address and set a name.

    A line that ends in a backslash goes on in the next one; its number is the first one's.
    """
    found = []
    start = 1
    parts: list[str] = []
    for number, line in enumerate(rules.split("\n"), start=1):
        start = start if parts else number
        text = line.strip()
        if text.endswith("\\"):
            parts.append(text[:-1])
            continue
        rule = " ".join([*parts, text])
        parts = []
        if not rule.startswith("#") and _pins(rule):
            found.append(start)
    return found[:MAX_FOUND]


def _pins(rule: str) -> bool:
    match = _MATCHES_MAC.search(rule)
    return bool(match and _MAC.fullmatch(match[1]) and _SETS_NAME.search(rule))
