"""Firewalls that start with the guest, and whether they let its SSH server be reached.

Only what is plain is told: rules that depend on where a connection comes from, or that other files
go on with, are None, which is no verdict.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from diskwright.guest.firewalld import read_firewalld
from diskwright.guest.settings import setting, text_of
from diskwright.guest.tree import GuestTree
from diskwright.guest.ufw import RULES, read_ufw
from diskwright.guest.units import Units
from diskwright.model.services import Firewall, ServiceState

UFW = "/etc/ufw/ufw.conf"

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
        lets = _known(read_ufw(tree, ports), ports)
        yield Firewall("ufw", ServiceState.DISABLED if off else state, lets, RULES)
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
