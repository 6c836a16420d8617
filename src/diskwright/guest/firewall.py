"""Firewalls that start with the guest, and whether they let its SSH server be reached.

Only what is plain is told: rules that depend on where a connection comes from, or that other files
go on with, are None, which is no verdict.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from diskwright.guest.firewalld import read_firewalld
from diskwright.guest.settings import covers, setting, text_of
from diskwright.guest.tree import GuestTree
from diskwright.guest.units import Units
from diskwright.model.services import Firewall, ServiceState

UFW, UFW_RULES, UFW_DEFAULT = "/etc/ufw/ufw.conf", "/etc/ufw/user.rules", "/etc/default/ufw"

_ANYWHERE = frozenset({"0.0.0.0/0", "::/0", "any"})
_REFUSING = re.compile(r"\b(?:drop|reject|queue|nfqueue|include|jump|goto)\b", re.IGNORECASE)

Ports = Collection[int]

# Rules in a language of their own: a name, units, and the files that these load
_SCRIPTED = (
    (
        "nftables",
        ("nftables.service",),
        (
            "/etc/nftables.conf",
            "/etc/sysconfig/nftables.conf",
            "/etc/nftables.nft",
            "/var/lib/nftables/rules-save",
        ),
    ),
    (
        "iptables",
        ("netfilter-persistent.service", "iptables.service"),
        (
            "/etc/iptables/rules.v4",
            "/etc/sysconfig/iptables",
            "/etc/iptables/rules-save",
            "/var/lib/iptables/rules-save",
        ),
    ),
)
# Those that make such rules of what is not read here
_UNREAD = (
    ("shorewall", ("shorewall.service",), "/etc/shorewall/rules"),
    ("SuSEfirewall2", ("SuSEfirewall2.service",), "/etc/sysconfig/SuSEfirewall2"),
    ("ferm", ("ferm.service",), "/etc/ferm/ferm.conf"),
    ("firehol", ("firehol.service",), "/etc/firehol/firehol.conf"),
    ("csf", ("csf.service",), "/etc/csf/csf.conf"),
)


def read_firewalls(tree: GuestTree, units: Units, ports: Ports) -> tuple[Firewall, ...]:
    """Those that are installed; `ports` are the SSH server's, none where they are not known.

    Raises GuestReadError.
    """
    return tuple(_found(tree, units, ports))


def _found(tree: GuestTree, units: Units, ports: Ports) -> Iterator[Firewall]:
    state = units.state("ufw.service")
    if state is not None:
        off = setting(tree, UFW, "ENABLED").lower() != "yes"
        lets = _known(_ufw(tree, ports), ports)
        yield Firewall("ufw", ServiceState.DISABLED if off else state, lets, UFW_RULES)
    state = units.state("firewalld.service")
    if state is not None:
        verdict, path = read_firewalld(tree, ports)
        yield Firewall("firewalld", state, _known(verdict, ports), path)
    for name, services, configs in _SCRIPTED:
        state = units.state(*services)
        for config in configs if state else ():
            text = text_of(tree, config)
            if state and text is not None:
                yield Firewall(name, state, _scripted(text), config)
    for name, services, config in _UNREAD:
        state = units.state(*services)
        if state is not None:
            yield Firewall(name, state, None, config)


def _known(verdict: bool | None, ports: Ports) -> bool | None:
    return verdict if ports else verdict or None


def _scripted(text: str) -> bool | None:
    """True where nothing is refused at all."""
    said = (line.partition("#")[0] for line in text.split("\n"))
    return None if any(_REFUSING.search(line) for line in said) else True


def _ufw(tree: GuestTree, ports: Ports) -> bool | None:
    """By the tuples that ufw itself keeps: `### tuple ### allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in`:
    action, protocol, port, where to, port and address from, direction. The first that fits counts;
    one for `route:` is about what passes through."""
    depends = False
    for line in (text_of(tree, UFW_RULES) or "").split("\n"):
        _, mark, said = line.partition("### tuple ###")
        words = said.split()
        if not mark or len(words) < 7 or words[1] not in ("tcp", "any"):
            continue
        if words[0].startswith("route:") or words[-1].startswith("out"):
            continue
        if words[2] != "any" and not covers(words[2], ports, ",", ":"):
            continue
        if {words[3], words[5]} <= _ANYWHERE and (words[4], words[-1]) == ("any", "in"):
            allowed = words[0].startswith(("allow", "limit"))
            return None if depends and not allowed else allowed
        depends = True
    policy = setting(tree, UFW_DEFAULT, "DEFAULT_INPUT_POLICY")
    if policy == "ACCEPT":
        return None if depends else True
    return None if depends or not policy else False
