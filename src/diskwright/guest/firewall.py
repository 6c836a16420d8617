"""Firewalls that start with the guest, and whether they let its SSH server be reached.

Only what is plain is told: rules that depend on where a connection comes from, or that other files
go on with, are None, which is no verdict.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from diskwright.guest.reading import NotThere
from diskwright.guest.tree import GuestTree
from diskwright.guest.units import Units
from diskwright.model.services import Firewall, ServiceState

UFW, UFW_RULES, UFW_DEFAULT = "/etc/ufw/ufw.conf", "/etc/ufw/user.rules", "/etc/default/ufw"
FIREWALLD = "/etc/firewalld/firewalld.conf"
ZONES = ("/etc/firewalld/zones", "/usr/lib/firewalld/zones", "/lib/firewalld/zones")
MAX_FILE = 1 << 20

_ANYWHERE = frozenset({"0.0.0.0/0", "::/0", "any"})
_SSH_PORT = 22
_ZONE_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_ELEMENT = re.compile(r"<(zone|service|port|rule)\b([^>]*)>")
_ATTRIBUTE = re.compile(r"""(\w+)\s*=\s*["']([^"']*)["']""")
_REFUSING = re.compile(r"\b(?:drop|reject|include|jump|goto)\b", re.IGNORECASE)

Ports = Collection[int]


def read_firewalls(tree: GuestTree, units: Units, ports: Ports) -> tuple[Firewall, ...]:
    """Those that are installed; `ports` are the SSH server's. Raises GuestReadError."""
    return tuple(_found(tree, units, ports))


def _found(tree: GuestTree, units: Units, ports: Ports) -> Iterator[Firewall]:
    state = units.state("ufw.service")
    if state is not None:
        off = _setting(tree, UFW, "ENABLED") != "yes"
        yield Firewall("ufw", ServiceState.DISABLED if off else state, _ufw(tree, ports), UFW_RULES)
    state = units.state("firewalld.service")
    if state is not None:
        yield _firewalld(tree, state, ports)
    for name, services, configs in _SCRIPTED:
        state = units.state(*services)
        for config in configs if state else ():
            text = _text(tree, config)
            if state and text is not None:
                yield Firewall(name, state, _scripted(text), config)


# Rules in a language of their own
_SCRIPTED = (
    (
        "nftables",
        ("nftables.service",),
        ("/etc/nftables.conf", "/etc/sysconfig/nftables.conf"),
    ),
    (
        "iptables",
        ("netfilter-persistent.service", "iptables.service"),
        ("/etc/iptables/rules.v4", "/etc/sysconfig/iptables"),
    ),
)


def _scripted(text: str) -> bool | None:
    """True where nothing is refused at all."""
    said = (line.partition("#")[0] for line in text.split("\n"))
    return None if any(_REFUSING.search(line) for line in said) else True


def _ufw(tree: GuestTree, ports: Ports) -> bool | None:
    """By the tuples that ufw itself keeps: `### tuple ### allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in`:
    action, protocol, port, where to, port and address from, direction."""
    depends = False
    for line in (_text(tree, UFW_RULES) or "").split("\n"):
        _, mark, said = line.partition("### tuple ###")
        words = said.split()
        if not mark or len(words) < 7 or words[1] not in ("tcp", "any"):
            continue
        if not _covers(words[2], ports, ",", ":"):
            continue
        if words[3] in _ANYWHERE and words[5] in _ANYWHERE and words[-1] == "in":
            allowed = words[0].startswith(("allow", "limit"))
            return None if depends and not allowed else allowed
        depends = True
    policy = _setting(tree, UFW_DEFAULT, "DEFAULT_INPUT_POLICY")
    if policy == "ACCEPT":
        return None if depends else True
    return None if depends or not policy else False


def _firewalld(tree: GuestTree, state: ServiceState, ports: Ports) -> Firewall:
    """By its default zone: firewalld.conf(5), firewalld.zone(5)."""
    zone = _setting(tree, FIREWALLD, "DefaultZone") or "public"
    paths = [f"{folder}/{zone}.xml" for folder in ZONES if _ZONE_NAME.fullmatch(zone)]
    for path in paths:
        text = _text(tree, path)
        if text is not None:
            return Firewall("firewalld", state, _zone(text, ports), path)
    return Firewall("firewalld", state, None, FIREWALLD)


def _zone(text: str, ports: Ports) -> bool | None:
    rich = False
    for element, rest in _ELEMENT.findall(_COMMENT.sub("", text)):
        said = dict(_ATTRIBUTE.findall(rest))
        if element == "zone" and said.get("target") == "ACCEPT":
            return True
        if element == "service" and said.get("name") == "ssh" and _SSH_PORT in ports:
            return True
        is_port = element == "port" and said.get("protocol") == "tcp"
        if is_port and _covers(said.get("port", ""), ports, " ", "-"):
            return True
        rich = rich or element == "rule"
    return None if rich else False


def _covers(said: str, ports: Ports, between: str, span: str) -> bool:
    """Whether `22,80` or `20:30` or `any` has one of the ports."""
    if said == "any":
        return True
    for part in said.split(between):
        low, _, high = part.partition(span)
        first, last = _number(low), _number(high or low)
        if any(first <= port <= last for port in ports):
            return True
    return False


def _number(text: str) -> int:
    """Zero, which is no port, for what is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 5 else 0


def _setting(tree: GuestTree, path: str, key: str) -> str:
    """Of lines `KEY=value`, the last one, without quotes."""
    value = ""
    for line in (_text(tree, path) or "").split("\n"):
        name, equals, said = line.partition("=")
        if equals and name.strip() == key:
            value = said.strip().strip("\"'")
    return value


def _text(tree: GuestTree, path: str) -> str | None:
    try:
        return tree.read_text(path, MAX_FILE)
    except NotThere:
        return None
